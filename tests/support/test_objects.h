// Objects to put into a store, and a sink that remembers what a watch told it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <vector>

#include "controller/runtime/store.h"

namespace keyturn {

inline const Resource rotations{"keyturn.dev", "secretrotations"};
inline const Resource runs{"keyturn.dev", "rotationruns"};
inline const Resource core_secrets{"", "secrets"};

inline std::string uid_of_test_object(const ObjectKey& key) { return "uid-of-" + key.ns + "-" + key.name; }

// A body with name, namespace, uid and generation 1, and `number` as its spec.
inline boost::json::object test_body(const ObjectKey& key, int number = 1) {
  boost::json::object metadata{{"name", key.name}, {"namespace", key.ns}, {"uid", uid_of_test_object(key)}, {"generation", 1}};
  return {{"apiVersion", "keyturn.dev/v1alpha1"}, {"kind", "SecretRotation"}, {"metadata", metadata}, {"spec", {{"number", number}}}};
}

inline std::int64_t number_of(const StoredObject& object) { return object.body.at("spec").at("number").as_int64(); }
inline std::string version_in_body(const StoredObject& object) {
  return std::string(object.body.at("metadata").at("resourceVersion").as_string());
}

class RecordingSink final : public ChangeSink {
 public:
  void on_change(const Change& change) override {
    changes.push_back(change);
    if (and_then) and_then(change);
  }
  void on_closed() override { ++closed; }

  std::vector<Change> changes;
  int closed = 0;
  std::function<void(const Change&)> and_then;
};

}  // namespace keyturn
