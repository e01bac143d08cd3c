// Paths into JSON: plain dotted ones, and the small part of JSONPath that printer columns use.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace keyturn::embedded {

// "spec.secret.name", "spec.consumers[1].name". Null when anything on the way is missing.
const boost::json::value* find_path(const boost::json::object& object, std::string_view path);

// ".status.current.name", ".status.conditions[?(@.type=="Ready")].status", ".metadata.labels.a\.b": the first match, or null.
const boost::json::value* evaluate_json_path(const boost::json::object& object, std::string_view path);

// What a path under `metadata` holds as text; empty when absent.
std::string_view metadata_text(const boost::json::object& object, std::string_view name);

}  // namespace keyturn::embedded
