// Label and field selectors: parsed once, matched against objects.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

// "a=b,c!=d,e in (x,y),f notin (z),g,!h": all must hold. `!=` and `notin` also match where the key is absent.
class LabelSelector {
 public:
  static Answer<LabelSelector> parse(std::string_view text);
  bool empty() const noexcept { return requirements_.empty(); }
  bool matches(const boost::json::object& object) const;

 private:
  friend class LabelParser;
  enum class Operator : std::uint8_t { In, NotIn, Exists, Absent };
  struct Requirement {
    std::string key;
    Operator op = Operator::Exists;
    std::vector<std::string> values;
  };
  std::vector<Requirement> requirements_;
};

// "metadata.name=a,spec.revision!=b": only over fields that the kind declares. 400 for others.
class FieldSelector {
 public:
  static Answer<FieldSelector> parse(std::string_view text, const ResourceType& type);
  bool empty() const noexcept { return terms_.empty(); }
  bool matches(const boost::json::object& object) const;

 private:
  struct Term {
    std::string field;
    std::string value;
    bool equal = true;
  };
  std::vector<Term> terms_;
};

}  // namespace keyturn::embedded
