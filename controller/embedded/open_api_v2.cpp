#include "controller/embedded/open_api_v2.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <string_view>

#include "controller/embedded/open_api_v3.h"
#include "controller/embedded/protobuf.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr std::string_view reference_prefix = "#/definitions/";

json::object build() {
  json::object paths, definitions;
  for (const GroupVersion& gv : group_versions()) {
    for (auto& [path, item] : paths_of_group(gv, true)) paths[path] = item;
    for (auto& [name, schema] : schemas_of(gv, reference_prefix)) definitions[name] = schema;
  }
  return {{"swagger", "2.0"},
          {"info", json::object{{"title", "Keyturn"}, {"version", KEYTURN_VERSION}}},
          {"paths", std::move(paths)},
          {"definitions", std::move(definitions)}};
}

// The numbers below are those of OpenAPIv2.proto.
std::string_view text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

void write_text(ProtoWriter& out, std::uint32_t field, const json::object& from, std::string_view name) {
  if (const std::string_view text = text_at(from, name); !text.empty()) out.text(field, text);
}

// Any: {2 yaml}. JSON is YAML.
std::string any(const json::value& value) { return ProtoWriter().text(2, json::serialize(value)).bytes(); }

void write_extensions(ProtoWriter& out, std::uint32_t field, const json::object& from) {
  for (const auto& [name, value] : from)
    if (std::string_view(name).starts_with("x-")) out.text(field, ProtoWriter().text(1, name).text(2, any(value)).bytes());
}

std::string schema_message(const json::object& schema);

std::string named_schemas(const json::object& schemas, std::uint32_t field) {
  ProtoWriter out;
  for (const auto& [name, schema] : schemas)
    out.text(field, ProtoWriter().text(1, name).text(2, schema_message(schema.as_object())).bytes());
  return out.bytes();
}

void write_numbers(ProtoWriter& out, const json::object& schema) {
  struct Field {
    std::string_view name;
    std::uint32_t number;
    bool real;
  };
  constexpr std::array<Field, 6> fields{{{"maximum", 7, true},
                                         {"minimum", 9, true},
                                         {"maxLength", 11, false},
                                         {"minLength", 12, false},
                                         {"maxItems", 14, false},
                                         {"minItems", 15, false}}};
  for (const Field& field : fields) {
    const json::value* value = schema.if_contains(field.name);
    if (!value || !value->is_int64()) continue;
    if (field.real)
      out.real(field.number, static_cast<double>(value->get_int64()));
    else
      out.number(field.number, static_cast<std::uint64_t>(value->get_int64()));
  }
}

std::string schema_message(const json::object& schema) {
  ProtoWriter out;
  write_text(out, 1, schema, "$ref");
  write_text(out, 2, schema, "format");
  write_text(out, 4, schema, "description");
  if (const json::value* value = schema.if_contains("default")) out.text(5, any(*value));
  write_numbers(out, schema);
  write_text(out, 13, schema, "pattern");
  if (const json::value* required = schema.if_contains("required"))
    for (const json::value& name : required->as_array()) out.text(19, std::string_view(name.as_string()));
  if (const json::value* values = schema.if_contains("enum"))
    for (const json::value& value : values->as_array()) out.text(20, any(value));
  if (const json::value* additional = schema.if_contains("additionalProperties"); additional && additional->is_object())
    out.text(21, ProtoWriter().text(1, schema_message(additional->get_object())).bytes());
  if (const std::string_view type = text_at(schema, "type"); !type.empty()) out.text(22, ProtoWriter().text(1, type).bytes());
  if (const json::value* items = schema.if_contains("items"); items && items->is_object())
    out.text(23, ProtoWriter().text(1, schema_message(items->get_object())).bytes());
  if (const json::value* all = schema.if_contains("allOf"))
    for (const json::value& one : all->as_array()) out.text(24, schema_message(one.as_object()));
  if (const json::value* properties = schema.if_contains("properties")) out.text(25, named_schemas(properties->as_object(), 1));
  write_extensions(out, 31, schema);
  return out.bytes();
}

// ParametersItem{1 Parameter{2 NonBodyParameter{3 query | 4 path}}}; query: {1 required, 2 in, 3 description, 4 name, 6 type}, path:
// {1 required, 2 in, 3 description, 4 name, 5 type}.
std::string parameter_message(const json::object& parameter) {
  const bool in_path = text_at(parameter, "in") == "path";
  ProtoWriter own;
  if (in_path) own.number(1, 1);
  own.text(2, text_at(parameter, "in")).text(3, text_at(parameter, "description")).text(4, text_at(parameter, "name"));
  own.text(in_path ? 5 : 6, text_at(parameter, "type"));
  const std::string non_body = ProtoWriter().text(in_path ? 4 : 3, own.bytes()).bytes();
  return ProtoWriter().text(1, ProtoWriter().text(2, non_body).bytes()).bytes();
}

std::string operation_message(const json::object& operation) {
  ProtoWriter out;
  write_text(out, 3, operation, "description");
  write_text(out, 5, operation, "operationId");
  if (const json::value* types = operation.if_contains("consumes"))
    for (const json::value& type : types->as_array()) out.text(7, std::string_view(type.as_string()));
  for (const json::value& parameter : operation.at("parameters").as_array()) out.text(8, parameter_message(parameter.as_object()));
  // Responses{1 {1 "200", 2 ResponseValue{1 Response{1 description}}}}
  const std::string response = ProtoWriter().text(1, ProtoWriter().text(1, "OK").bytes()).bytes();
  out.text(9, ProtoWriter().text(1, ProtoWriter().text(1, "200").text(2, response).bytes()).bytes());
  write_extensions(out, 13, operation);
  return out.bytes();
}

std::string path_message(const json::object& item) {
  struct Method {
    std::string_view name;
    std::uint32_t number;
  };
  constexpr std::array<Method, 5> methods{{{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}}};
  ProtoWriter out;
  for (const Method& method : methods)
    if (const json::value* operation = item.if_contains(method.name)) out.text(method.number, operation_message(operation->as_object()));
  if (const json::value* parameters = item.if_contains("parameters"))
    for (const json::value& parameter : parameters->as_array()) out.text(9, parameter_message(parameter.as_object()));
  return out.bytes();
}

std::string document_message(const json::object& document) {
  const json::object& info = document.at("info").as_object();
  ProtoWriter paths;
  for (const auto& [path, item] : document.at("paths").as_object())
    paths.text(2, ProtoWriter().text(1, path).text(2, path_message(item.as_object())).bytes());
  return ProtoWriter()
      .text(1, text_at(document, "swagger"))
      .text(2, ProtoWriter().text(1, text_at(info, "title")).text(2, text_at(info, "version")).bytes())
      .text(8, paths.bytes())
      .text(9, named_schemas(document.at("definitions").as_object(), 1))
      .bytes();
}

}  // namespace

const json::object& open_api_v2() {
  static const json::object document = build();
  return document;
}

const std::string& open_api_v2_protobuf() {
  static const std::string message = document_message(open_api_v2());
  return message;
}

}  // namespace keyturn::embedded
