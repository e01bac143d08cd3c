// Inside of the codec: one description of a type's fields serves both directions, so that a field is named once and cannot be read
// under one name and written under another.
//
//   template <class Io>
//   void describe(Io& io, Like<Io, Generator>& v) {
//     io.field("type", v.type);
//     io.field("length", v.length);
//   }
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/words.h"
#include "base/error.h"
#include "base/id.h"
#include "base/time.h"

namespace keyturn::api::codec {

template <class Io, class T>
using Like = std::conditional_t<Io::reading, T, const T>;

// Whole seconds as metav1.Time writes them; a fraction, where there is one, as MicroTime does, so that nothing is lost and a value
// that was read compares equal to the one that was written.
std::string encode_instant(Instant at);

// A JSON number that is a whole number; 20.0 is one, 20.5 is not.
std::optional<std::int64_t> whole_number(const boost::json::value& value);

// Fills fields from an object. What is absent or null leaves the field as it is. Stops at the first field that does not fit and
// remembers its path and what was expected; a path is built only then.
class Reader {
 public:
  static constexpr bool reading = true;
  explicit Reader(const boost::json::object& object) : object_(&object) {}

  template <class T>
  void field(std::string_view name, T& out) {
    const boost::json::value* value = find(name);
    if (value != nullptr && !read(*value, out)) {
      prepend(name);
    }
  }
  template <class T>
  void required(std::string_view name, T& out) {
    field(name, out);
  }
  template <class T>
  void sparse(std::string_view name, T& out, const T& /*default_value*/) {
    field(name, out);
  }
  // An object whose fields live in the same C++ type as those around it.
  template <class Describe>
  void group(std::string_view name, Describe describe_group) {
    const boost::json::value* value = find(name);
    if (value != nullptr && !read_object(*value, describe_group)) {
      prepend(name);
    }
  }
  // A field that follows from others: written for people, not read.
  void derived(std::string_view, const std::string&) {}

  bool failed() const { return !expected_.empty(); }
  Error error() const { return Error{Errc::Invalid, path_ + ": must be " + std::string(expected_)}; }

 private:
  const boost::json::value* find(std::string_view name) const {
    if (failed()) {
      return nullptr;
    }
    const auto* value = object_->if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  void prepend(std::string_view name) {
    path_ = path_.empty() || path_.front() == '[' ? std::string(name) + path_ : std::string(name) + "." + path_;
  }
  bool expect(std::string_view what) {
    expected_ = what;
    return false;
  }

  bool read(const boost::json::value& value, std::string& out);
  bool read(const boost::json::value& value, bool& out);
  bool read(const boost::json::value& value, std::int64_t& out);
  bool read(const boost::json::value& value, int& out);
  bool read(const boost::json::value& value, Instant& out);
  bool read(const boost::json::value& value, Duration& out);
  bool read(const boost::json::value& value, std::map<std::string, std::string>& out);

  template <class Tag>
  bool read(const boost::json::value& value, Id<Tag>& out) {
    return read(value, out.value);
  }
  template <Worded E>
  bool read(const boost::json::value& value, E& out) {
    const auto* text = value.if_string();
    const auto word = text == nullptr ? std::nullopt : parse_word<E>(std::string_view(*text));
    if (!word) {
      return expect("one of the words that the API knows");
    }
    out = *word;
    return true;
  }
  template <class T>
  bool read(const boost::json::value& value, std::optional<T>& out) {
    return read(value, out.emplace());
  }
  template <class T>
  bool read(const boost::json::value& value, std::vector<T>& out) {
    const auto* list = value.if_array();
    if (list == nullptr) {
      return expect("a list");
    }
    out.clear();
    out.reserve(list->size());
    for (const auto& item : *list) {
      if (!read(item, out.emplace_back())) {
        const std::string index = "[" + std::to_string(out.size() - 1) + "]";
        path_ = path_.empty() || path_.front() == '[' ? index + path_ : index + "." + path_;
        return false;
      }
    }
    return true;
  }
  template <class T>
    requires std::is_class_v<T>
  bool read(const boost::json::value& value, T& out) {
    return read_object(value, [&out](Reader& inner) { describe(inner, out); });
  }
  template <class Describe>
  bool read_object(const boost::json::value& value, Describe&& describe_group) {
    const auto* object = value.if_object();
    if (object == nullptr) {
      return expect("an object");
    }
    Reader inner(*object);
    describe_group(inner);
    if (inner.failed()) {
      path_ = std::move(inner.path_);
      expected_ = inner.expected_;
      return false;
    }
    return true;
  }

  const boost::json::object* object_;
  std::string path_;           // of the field that does not fit
  std::string_view expected_;  // what it should have been; empty = all well
};

// Appends fields to an object in the order of their description: canonical. What is empty is left out; numbers, words and switches
// are always written.
class Writer {
 public:
  static constexpr bool reading = false;

  template <class T>
  void field(std::string_view name, const T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) {
        object_.emplace(name, to_json(*value));  // it is there, even if nothing is in it
      }
    } else if (!is_empty(value)) {
      put(name, to_json(value));
    }
  }
  // Written even when empty.
  template <class T>
  void required(std::string_view name, const T& value) {
    object_.emplace(name, to_json(value));
  }
  // Left out when it is the default.
  template <class T>
  void sparse(std::string_view name, const T& value, const T& default_value) {
    if (value != default_value) {
      object_.emplace(name, to_json(value));
    }
  }
  template <class Describe>
  void group(std::string_view name, Describe describe_group) {
    Writer inner;
    describe_group(inner);
    put(name, std::move(inner).take());
  }
  void derived(std::string_view name, const std::string& value) { object_.emplace(name, value); }

  boost::json::object take() && { return std::move(object_); }

 private:
  // An object without fields is left out like any other empty thing.
  void put(std::string_view name, boost::json::value value) {
    const auto* object = value.if_object();
    if (object == nullptr || !object->empty()) {
      object_.emplace(name, std::move(value));
    }
  }

  template <class T>
  static bool is_empty(const T& value) {
    if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else {
      return false;
    }
  }

  static boost::json::value to_json(const std::string& value) { return boost::json::value(value); }
  static boost::json::value to_json(bool value) { return value; }
  static boost::json::value to_json(std::int64_t value) { return value; }
  static boost::json::value to_json(int value) { return static_cast<std::int64_t>(value); }
  static boost::json::value to_json(Instant value) { return boost::json::value(encode_instant(value)); }
  static boost::json::value to_json(Duration value) { return boost::json::value(format_duration(value)); }
  static boost::json::value to_json(const std::map<std::string, std::string>& value) {
    boost::json::object object;
    for (const auto& [key, text] : value) {
      object.emplace(key, text);
    }
    return object;
  }
  template <class Tag>
  static boost::json::value to_json(const Id<Tag>& value) {
    return boost::json::value(value.value);
  }
  template <Worded E>
  static boost::json::value to_json(E value) {
    return boost::json::value(word_of(value));
  }
  template <class T>
  static boost::json::value to_json(const std::vector<T>& value) {
    boost::json::array list;
    list.reserve(value.size());
    for (const auto& item : value) {
      list.push_back(to_json(item));
    }
    return list;
  }
  template <class T>
    requires std::is_class_v<T>
  static boost::json::value to_json(const T& value) {
    Writer inner;
    describe(inner, value);
    return std::move(inner).take();
  }

  boost::json::object object_;
};

template <class Io>
void describe(Io& io, Like<Io, ObjectMeta>& v) {
  io.field("name", v.name);
  io.field("namespace", v.ns);
  io.field("uid", v.uid);
  io.field("resourceVersion", v.resource_version);
  io.sparse("generation", v.generation, std::int64_t{0});
  io.field("creationTimestamp", v.created);
  io.field("deletionTimestamp", v.deleted);
  io.field("labels", v.labels);
  io.field("annotations", v.annotations);
  io.field("finalizers", v.finalizers);
}

// metav1.Condition: its message is required there, even when empty.
template <class Io>
void describe(Io& io, Like<Io, Condition>& v) {
  io.field("type", v.type);
  io.field("status", v.status);
  io.field("observedGeneration", v.observed_generation);
  io.required("reason", v.reason);
  io.required("message", v.message);
  io.field("lastTransitionTime", v.last_transition);
}

// "name" is for people and printer columns; revision and serial are the truth.
template <class Io>
void describe(Io& io, Like<Io, CredentialName>& v) {
  if (!v.empty()) {
    io.derived("name", v.to_string());
  }
  io.field("revision", v.revision);
  io.sparse("serial", v.serial, 0);
}

// A whole object of the kind T: apiVersion, kind, metadata, spec, status.
template <class T>
Result<T> decode_object(const boost::json::object& object) {
  const auto* kind = object.if_contains("kind");
  if (kind != nullptr && (!kind->is_string() || std::string_view(kind->get_string()) != T::kind)) {
    return Error{Errc::Invalid, "kind: must be " + std::string(T::kind)};
  }
  T out;
  Reader io(object);
  io.field("metadata", out.meta);
  io.field("spec", out.spec);
  io.field("status", out.status);
  if (io.failed()) {
    return io.error();
  }
  return out;
}

template <class T>
boost::json::object encode_members(const T& value) {
  Writer io;
  describe(io, value);
  return std::move(io).take();
}

template <class T>
boost::json::object encode_object(const T& object) {
  boost::json::object out;
  out.emplace("apiVersion", group_version);
  out.emplace("kind", T::kind);
  out.emplace("metadata", encode_members(object.meta));
  out.emplace("spec", encode_members(object.spec));
  out.emplace("status", encode_members(object.status));
  return out;
}

}  // namespace keyturn::api::codec
