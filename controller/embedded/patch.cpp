#include "controller/embedded/patch.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <vector>

#include "controller/runtime/stored_object.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;
using Pointer = std::vector<std::string>;

std::optional<Pointer> parse_pointer(std::string_view text) {
  Pointer tokens;
  if (text.empty()) return tokens;
  if (text.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      tokens.emplace_back();
    } else if (text[i] == '~') {
      const char next = i + 1 < text.size() ? text[++i] : '\0';
      if (next != '0' && next != '1') return std::nullopt;
      tokens.back() += next == '0' ? '~' : '/';
    } else {
      tokens.back() += text[i];
    }
  }
  return tokens;
}

std::optional<std::size_t> index_in(const std::string& token, std::size_t size) {
  if (token.empty() || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  std::size_t index = 0;
  const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (ec != std::errc{} || end != token.data() + token.size() || index >= size) return std::nullopt;
  return index;
}

json::value* child(json::value& parent, const std::string& token) {
  if (json::object* members = parent.if_object()) return members->if_contains(token);
  if (json::array* items = parent.if_array()) {
    const std::optional<std::size_t> index = index_in(token, items->size());
    return index ? &(*items)[*index] : nullptr;
  }
  return nullptr;
}

json::value* resolve(json::value& root, const Pointer& path, std::size_t length) {
  json::value* at = &root;
  for (std::size_t i = 0; at && i < length; ++i) at = child(*at, path[i]);
  return at;
}
json::value* resolve(json::value& root, const Pointer& path) { return resolve(root, path, path.size()); }

bool add(json::value& root, const Pointer& path, json::value value) {
  if (path.empty()) {
    root = std::move(value);
    return true;
  }
  json::value* parent = resolve(root, path, path.size() - 1);
  if (!parent) return false;
  const std::string& last = path.back();
  if (json::object* members = parent->if_object()) {
    (*members)[last] = std::move(value);
    return true;
  }
  json::array* items = parent->if_array();
  if (!items) return false;
  const std::optional<std::size_t> index = last == "-" ? std::optional(items->size()) : index_in(last, items->size() + 1);
  if (!index) return false;
  items->insert(items->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return true;
}

bool remove(json::value& root, const Pointer& path) {
  if (path.empty() || !resolve(root, path)) return false;
  json::value* parent = resolve(root, path, path.size() - 1);
  if (json::object* members = parent->if_object()) {
    members->erase(path.back());
    return true;
  }
  json::array& items = parent->get_array();
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*index_in(path.back(), items.size())));
  return true;
}

bool is_prefix(const Pointer& prefix, const Pointer& path) {
  return prefix.size() < path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

struct Operation {
  std::string op;
  Pointer path, from;
  const json::value* value = nullptr;
};

std::optional<Operation> read_operation(const json::value& text) {
  const json::object* fields = text.if_object();
  if (!fields) return std::nullopt;
  const auto pointer = [fields](std::string_view name) -> std::optional<Pointer> {
    const json::value* value = fields->if_contains(name);
    return value && value->is_string() ? parse_pointer(std::string_view(value->get_string())) : std::nullopt;
  };
  Operation operation;
  const json::value* op = fields->if_contains("op");
  if (!op || !op->is_string()) return std::nullopt;
  operation.op = std::string(op->get_string());
  operation.value = fields->if_contains("value");
  const std::optional<Pointer> path = pointer("path");
  if (!path) return std::nullopt;
  operation.path = *path;
  const bool needs_from = operation.op == "move" || operation.op == "copy";
  const std::optional<Pointer> from = needs_from ? pointer("from") : Pointer{};
  if (!from) return std::nullopt;
  operation.from = *from;
  return operation;
}

bool perform(json::value& root, const Operation& operation, std::size_t& copied) {
  const json::value value = operation.value ? *operation.value : json::value(nullptr);
  if (operation.op == "add") return add(root, operation.path, value);
  if (operation.op == "remove") return remove(root, operation.path);
  if (operation.op == "replace") {
    json::value* at = resolve(root, operation.path);
    if (at) *at = value;
    return at != nullptr;
  }
  if (operation.op == "test") {
    const json::value* at = resolve(root, operation.path);
    return at ? *at == value : value.is_null();
  }
  const json::value* source = resolve(root, operation.from);
  if (!source || (operation.op == "move" && is_prefix(operation.from, operation.path))) return false;
  json::value taken = *source;
  if (operation.op == "move") return remove(root, operation.from) && add(root, operation.path, std::move(taken));
  if (operation.op != "copy") return false;
  copied += approximate_bytes(taken);
  return add(root, operation.path, std::move(taken));
}

}  // namespace

void merge_patch(json::value& target, const json::value& patch) {
  const json::object* changes = patch.if_object();
  if (!changes) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  json::object& members = target.get_object();
  for (const auto& [name, change] : *changes) {
    if (change.is_null())
      members.erase(name);
    else
      merge_patch(members[name], change);
  }
}

namespace {

void merge_finalizers(json::value& target, const json::value& added) {
  if (!target.is_array() || !added.is_array()) {
    target = added;
    return;
  }
  json::array& items = target.get_array();
  for (const json::value& item : added.get_array())
    if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
}

void delete_from_list(json::object& members, std::string_view list, const json::value& gone) {
  json::value* target = members.if_contains(list);
  if (!target || !target->is_array() || !gone.is_array()) return;
  json::array left;
  for (const json::value& item : target->get_array())
    if (std::find(gone.get_array().begin(), gone.get_array().end(), item) == gone.get_array().end()) left.push_back(item);
  *target = std::move(left);
}

}  // namespace

void strategic_merge_patch(json::value& target, const json::value& patch) {
  constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";
  const json::object* changes = patch.if_object();
  if (!changes) {
    target = patch;
    return;
  }
  const json::value* directive = changes->if_contains("$patch");
  if (!target.is_object() || (directive && (*directive == "replace" || *directive == "delete"))) target.emplace_object();
  if (directive && *directive == "delete") return;
  json::object& members = target.get_object();
  for (const auto& [key, change] : *changes) {
    const std::string_view name = key;
    if (name.starts_with(delete_prefix)) delete_from_list(members, name.substr(delete_prefix.size()), change);
    if (name.starts_with('$')) continue;
    if (change.is_null())
      members.erase(key);
    else if (name == "finalizers")
      merge_finalizers(members[key], change);
    else
      strategic_merge_patch(members[key], change);
  }
}

Answer<> json_patch(json::value& target, const json::value& patch) {
  const json::array* operations = patch.if_array();
  if (!operations) return bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  if (operations->size() > json_patch_operations_max)
    return too_large(fmt::format("Request entity too large: The allowed maximum operations in a JSON patch is {}, got {}",
                                 json_patch_operations_max, operations->size()));
  json::value result = target;
  std::size_t copied = 0;
  for (const json::value& text : *operations) {
    const std::optional<Operation> operation = read_operation(text);
    if (!operation || !perform(result, *operation, copied)) return rejected_patch();
    if (copied > json_patch_copied_bytes_max) return too_large("Request entity too large: limit is 3145728");
  }
  target = std::move(result);
  return done();
}

}  // namespace keyturn::embedded
