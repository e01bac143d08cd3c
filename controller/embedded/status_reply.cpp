#include "controller/embedded/status_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

json::object details_of(std::string_view name, std::string_view group, std::string_view kind) {
  json::object details;
  if (!name.empty()) details["name"] = name;
  if (!group.empty()) details["group"] = group;
  if (!kind.empty()) details["kind"] = kind;
  return details;
}

json::array causes_of(const api::Violations& violations) {
  json::array causes;
  for (const api::Violation& violation : violations)
    causes.push_back(json::object{{"reason", violation.reason}, {"message", violation.message}, {"field", violation.field}});
  return causes;
}

// What is said twice among the causes stands once in the message.
std::string sentence_of(const api::Violations& violations) {
  std::vector<std::string> sentences;
  for (const api::Violation& violation : violations) {
    std::string sentence = fmt::format("{}: {}", violation.field, violation.message);
    if (std::find(sentences.begin(), sentences.end(), sentence) == sentences.end()) sentences.push_back(std::move(sentence));
  }
  const std::string text = fmt::format("{}", fmt::join(sentences, ", "));
  return sentences.size() > 1 ? "[" + text + "]" : text;
}

Failure about(int code, std::string reason, std::string message, json::object details) {
  return Failure{.code = code, .reason = std::move(reason), .message = std::move(message), .details = std::move(details)};
}

Failure invalid_as(std::string_view qualified, std::string_view group, std::string_view kind, std::string_view name,
                   const api::Violations& violations) {
  json::object details = details_of(name, group, kind);
  details["causes"] = causes_of(violations);
  return about(422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", qualified, name, sentence_of(violations)), std::move(details));
}

}  // namespace

Failure not_found(const ResourceType& type, std::string_view name) {
  return about(404, "NotFound", fmt::format("{} \"{}\" not found", type.qualified(), name), details_of(name, type.group, type.plural));
}

Failure already_exists(const ResourceType& type, std::string_view name) {
  return about(409, "AlreadyExists", fmt::format("{} \"{}\" already exists", type.qualified(), name),
               details_of(name, type.group, type.plural));
}

Failure conflict(const ResourceType& type, std::string_view name) {
  return about(409, "Conflict",
               fmt::format("Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to the "
                           "latest version and try again",
                           type.qualified(), name),
               details_of(name, type.group, type.plural));
}

Failure precondition_failed(const ResourceType& type, std::string_view name, std::string_view why) {
  return about(409, "Conflict", fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", type.qualified_kind(), name, why),
               details_of(name, type.group, type.kind));
}

Failure uid_mismatch(const ResourceType& type, std::string_view name, std::string_view wanted, std::string_view found) {
  return about(409, "Conflict",
               fmt::format("Operation cannot be fulfilled on {} \"{}\": StorageError: invalid object, Code: 4, ResourceVersion: 0, "
                           "AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in object meta: {}",
                           type.qualified(), name, wanted, found),
               details_of(name, type.group, type.plural));
}

Failure invalid(const ResourceType& type, std::string_view name, const api::Violations& violations) {
  return invalid_as(type.qualified_kind(), type.group, type.kind, name, violations);
}

Failure version_required(const ResourceType& type, std::string_view name) {
  return invalid_as(type.qualified(), type.group, type.plural, name,
                    {{"FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"}});
}

Failure invalid_options(std::string_view kind, const api::Violations& violations) {
  return invalid_as(fmt::format("{}.meta.k8s.io", kind), "meta.k8s.io", kind, "", violations);
}

Failure namespace_not_found(std::string_view ns) {
  return about(404, "NotFound", fmt::format("namespaces \"{}\" not found", ns), details_of(ns, "", "namespaces"));
}

Failure apply_conflict(const std::vector<std::pair<std::string, std::string>>& manager_and_field) {
  json::array causes;
  std::string text;
  for (const auto& [manager, field] : manager_and_field) {
    const std::string who = "conflict with " + manager;
    causes.push_back(json::object{{"reason", "FieldManagerConflict"}, {"message", who}, {"field", field}});
    text += manager_and_field.size() == 1 ? fmt::format("{}: {}", who, field) : fmt::format("\n- {}: {}", who, field);
  }
  const std::size_t count = manager_and_field.size();
  std::string message =
      count == 1 ? "Apply failed with 1 conflict: " + text : fmt::format("Apply failed with {} conflicts:{}", count, text);
  return about(409, "Conflict", std::move(message), json::object{{"causes", std::move(causes)}});
}

Failure bad_request(std::string message) { return about(400, "BadRequest", std::move(message), {}); }

Failure page_not_found() {
  Failure failure = about(404, "NotFound", "404 page not found", {});
  failure.plain_text = true;
  return failure;
}

Failure method_not_allowed(const ResourceType& type, std::string_view verb) {
  return about(405, "MethodNotAllowed", fmt::format("{} is not supported on resources of kind \"{}\"", verb, type.qualified()),
               details_of("", type.group, type.plural));
}

Failure unauthorized() { return about(401, "Unauthorized", "Unauthorized", {}); }

Failure forbidden_message(std::string message, json::object details) {
  return about(403, "Forbidden", std::move(message), std::move(details));
}

Failure unsupported_media_type(std::string_view accepted) {
  return about(415, "UnsupportedMediaType",
               fmt::format("the body of the request was in an unknown format - accepted media types include: {}", accepted), {});
}

Failure not_acceptable() {
  return about(406, "NotAcceptable",
               "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf", {});
}

Failure too_large(std::string message) { return about(413, "RequestEntityTooLarge", std::move(message), {}); }

Failure rejected_patch() { return about(422, "Invalid", "the server rejected our request due to an error in our request", {}); }

Failure too_large_version(std::uint64_t asked, std::uint64_t current) {
  json::object details{
      {"causes", json::array{json::object{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}}},
      {"retryAfterSeconds", 1}};
  Failure failure =
      about(504, "Timeout", fmt::format("Timeout: Too large resource version: {}, current: {}", asked, current), std::move(details));
  failure.retry_after_s = 1;
  return failure;
}

Failure expired(std::string message) { return about(410, "Expired", std::move(message), {}); }

Failure too_many_requests() {
  Failure failure = about(429, "TooManyRequests", "Too many requests, please try again later.", json::object{{"retryAfterSeconds", 1}});
  failure.retry_after_s = 1;
  return failure;
}

Failure internal_error() { return about(500, "InternalError", "Internal error occurred", {}); }

Failure store_failure(const Error& error, const ResourceType& type, std::string_view name) {
  switch (error.code) {
    case Errc::NotFound:
      return not_found(type, name);
    case Errc::Conflict:
      return conflict(type, name);
    case Errc::Expired:
      return expired("The resourceVersion for the provided list is too old.");
    case Errc::Throttled:
      return too_many_requests();
    case Errc::Unavailable:
    case Errc::Cancelled: {
      Failure failure = about(503, "ServiceUnavailable", "the storage cannot be written or read now", {});
      failure.retry_after_s = 1;
      return failure;
    }
    default:
      return internal_error();
  }
}

json::object status_object(const Failure& failure) {
  json::object metadata;
  if (!failure.continue_token.empty()) metadata["continue"] = failure.continue_token;
  json::object status{
      {"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", std::move(metadata)}, {"status", "Failure"}, {"message", failure.message}};
  if (!failure.reason.empty()) status["reason"] = failure.reason;
  if (!failure.details.empty() || failure.code == 422) status["details"] = failure.details;
  status["code"] = failure.code;
  return status;
}

json::object success_status(const ResourceType& type, std::string_view name, std::string_view uid) {
  json::object details = details_of(name, type.group, type.plural);
  details["uid"] = uid;
  return {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::object{}}, {"status", "Success"}, {"details", std::move(details)}};
}

std::string encode_json(const json::value& value) {
  // These three characters can occur only inside strings, so that replacing them in the finished text is safe.
  const std::string plain = json::serialize(value);
  std::string text;
  text.reserve(plain.size() + 1);
  for (const char c : plain) {
    switch (c) {
      case '<':
        text += "\\u003c";
        break;
      case '>':
        text += "\\u003e";
        break;
      case '&':
        text += "\\u0026";
        break;
      default:
        text += c;
    }
  }
  text += '\n';
  return text;
}

net::HttpReply json_reply(int status, const json::value& value) {
  net::HttpReply reply{.status = status};
  reply.headers.set("Content-Type", "application/json");
  reply.headers.set("Cache-Control", "no-cache, private");
  reply.body = encode_json(value);
  return reply;
}

net::HttpReply text_reply(int status, std::string text) {
  net::HttpReply reply{.status = status};
  reply.headers.set("Content-Type", "text/plain; charset=utf-8");
  reply.headers.set("Cache-Control", "no-cache, private");
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.body = std::move(text);
  return reply;
}

net::HttpReply failure_reply(const Failure& failure) {
  if (failure.plain_text) return text_reply(failure.code, failure.message + "\n");
  net::HttpReply reply = json_reply(failure.code, status_object(failure));
  if (failure.retry_after_s) reply.headers.set("Retry-After", std::to_string(*failure.retry_after_s));
  if (!failure.location.empty()) reply.headers.set("Location", failure.location);
  return reply;
}

}  // namespace keyturn::embedded
