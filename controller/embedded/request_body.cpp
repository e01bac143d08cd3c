#include "controller/embedded/request_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "controller/embedded/json_path.h"
#include "controller/embedded/negotiation.h"
#include "controller/embedded/protobuf_bodies.h"
#include "controller/embedded/strict_json.h"
#include "controller/embedded/yaml_json.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr std::size_t excerpt_max = 32;  // of a body that cannot be read, in a message
constexpr std::string_view object_types = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

std::string parse_message(std::string_view kind, const std::string& error, std::string_view body) {
  return fmt::format("the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {} ({})", kind,
                     error, body.empty() ? "<empty>" : body.substr(0, excerpt_max));
}

Answer<RequestBody> as_object(json::value value, std::vector<std::string> duplicates, std::string_view kind) {
  if (!value.is_object()) {
    return bad_request(
        fmt::format("the object provided is unrecognized (must be of type {}): couldn't get version/kind; json: cannot unmarshal the body "
                    "into an object",
                    kind));
  }
  return RequestBody{std::move(value.get_object()), std::move(duplicates)};
}

Answer<RequestBody> read_json_object(std::string_view body, std::string_view kind) {
  StrictJson read = read_strict_json(body);
  if (!read.error.empty()) return bad_request(parse_message(kind, read.error, body));
  return as_object(std::move(read.value), std::move(read.duplicates), kind);
}

Answer<RequestBody> read_yaml_object(std::string_view body, std::string_view kind) {
  Answer<json::value> value = read_yaml(body);
  if (!value) return value.error();
  return as_object(std::move(*value), {}, kind);
}

// An apply body is YAML by its type; kubectl sends JSON, which is YAML too, and there fields can stand twice without an error.
Answer<ChangeRequest> read_apply(std::string_view body, const ResourceType& type) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && body[first] == '{';
  Answer<RequestBody> read = is_json ? read_json_object(body, type.kind) : read_yaml_object(body, type.kind);
  if (!read) return read.error();
  if (!read->object.contains("apiVersion") || !read->object.contains("kind")) return bad_request("invalid object type: /, Kind=");
  return ChangeRequest{ApplyPatch{std::move(read->object)}, std::move(read->duplicates)};
}

Answer<> check_policy(const std::string& policy) {
  constexpr std::array<std::string_view, 4> known{"", "Foreground", "Background", "Orphan"};
  if (std::find(known.begin(), known.end(), policy) != known.end()) return done();
  return invalid_options(
      "DeleteOptions",
      {{"FieldValueNotSupported", "propagationPolicy",
        fmt::format("Unsupported value: \"{}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"", policy)}});
}

std::string text_at(const json::object& object, std::string_view path) {
  const json::value* value = find_path(object, path);
  return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

Answer<> check_dry_run(std::string_view value) {
  if (value == "All") return done();
  return invalid_options(
      "DeleteOptions", {{"FieldValueNotSupported", "dryRun", fmt::format("Unsupported value: \"{}\": supported values: \"All\"", value)}});
}

Answer<> read_delete_body(const json::object& body, DeleteOptions& options) {
  if (const json::value* runs = body.if_contains("dryRun"); runs && runs->is_array()) {
    for (const json::value& run : runs->get_array()) {
      if (const Answer<> known = check_dry_run(run.is_string() ? std::string_view(run.get_string()) : std::string_view{}); !known)
        return known.error();
      options.dry_run = true;
    }
  }
  options.uid = text_at(body, "preconditions.uid");
  if (const std::string version = text_at(body, "preconditions.resourceVersion"); !version.empty()) {
    options.version = parse_version(version);
    if (!options.version) return bad_request(fmt::format("strconv.ParseUint: parsing \"{}\": invalid syntax", version));
  }
  return check_policy(text_at(body, "propagationPolicy"));
}

}  // namespace

bool is_apply(std::string_view content_type) { return media_type(content_type) == "application/apply-patch+yaml"; }

Answer<RequestBody> read_object_body(std::string_view content_type, std::string_view body, std::string_view kind) {
  const std::string_view type = media_type(content_type);
  if (type.empty() || type == "application/json") return read_json_object(body, kind);
  if (type == "application/yaml") return read_yaml_object(body, kind);
  if (type != "application/vnd.kubernetes.protobuf") return unsupported_media_type(object_types);
  std::optional<json::object> object = read_protobuf_body(body);
  if (!object) return unsupported_media_type("application/json, application/yaml");
  return RequestBody{std::move(*object), {}};
}

Answer<ChangeRequest> read_patch_body(std::string_view content_type, std::string_view body, const ResourceType& type) {
  const std::string_view media = media_type(content_type);
  const bool built_in = type.of == TypeOf::Namespace || type.of == TypeOf::CoreEvent || type.of == TypeOf::NewEvent;
  const bool merge = media == "application/merge-patch+json";
  const bool strategic = built_in && media == "application/strategic-merge-patch+json";
  if (is_apply(media)) return read_apply(body, type);
  if (!merge && !strategic && media != "application/json-patch+json") {
    constexpr std::string_view all = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    return unsupported_media_type(
        built_in ? "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
                   "application/apply-patch+yaml"
                 : all);
  }
  StrictJson read = read_strict_json(body);
  if (!read.error.empty()) return bad_request(fmt::format("error decoding patch: {}", read.error));
  if (merge || strategic) return ChangeRequest{MergePatch{std::move(read.value), strategic}, std::move(read.duplicates)};
  return ChangeRequest{JsonPatch{std::move(read.value)}, {}};
}

Answer<DeleteOptions> read_delete_options(const Query& query, std::string_view content_type, std::string_view body) {
  DeleteOptions options;
  for (const std::string& run : query.all("dryRun")) {
    if (const Answer<> known = check_dry_run(run); !known) return known.error();
    options.dry_run = true;
  }
  if (const Answer<> policy = check_policy(query.get("propagationPolicy")); !policy) return policy.error();
  if (body.empty()) return options;
  const bool yaml = media_type(content_type) == "application/yaml";
  StrictJson read;
  if (yaml) {
    Answer<json::value> value = read_yaml(body);
    if (!value) return value.error();
    read.value = std::move(*value);
  } else {
    read = read_strict_json(body);
  }
  if (!read.error.empty()) return bad_request(fmt::format("couldn't get version/kind; json parse error: {}", read.error));
  if (!read.value.is_object()) return bad_request("couldn't get version/kind; json parse error: the body is no object");
  if (const Answer<> filled = read_delete_body(read.value.get_object(), options); !filled) return filled.error();
  return options;
}

}  // namespace keyturn::embedded
