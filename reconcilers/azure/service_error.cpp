#include "reconcilers/azure/service_error.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

#include "reconcilers/azure/http_time.h"

namespace keyturn {
namespace {

constexpr std::size_t code_bytes_max = 64;
constexpr std::size_t inner_depth_max = 8;

std::string code_text(const boost::json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  const std::string_view text(value->get_string());
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (text.size() > code_bytes_max || !std::all_of(text.begin(), text.end(), plain)) return {};
  return std::string(text);
}

void collect_inner(const boost::json::object& error, ServiceError& out) {
  const boost::json::object* level = &error;
  for (std::size_t depth = 0; depth < inner_depth_max; ++depth) {
    const boost::json::value* inner = level->if_contains("innererror");
    if (inner == nullptr || !inner->is_object()) return;
    level = &inner->get_object();
    if (std::string code = code_text(level->if_contains("code")); !code.empty()) out.inner.push_back(std::move(code));
  }
}

std::string first_detail(const boost::json::object& error) {
  const boost::json::object* level = &error;
  std::string found;
  for (std::size_t depth = 0; depth < inner_depth_max; ++depth) {
    const boost::json::value* details = level->if_contains("details");
    if (details == nullptr || !details->is_array() || details->get_array().empty()) return found;
    const boost::json::value& first = details->get_array().front();
    if (!first.is_object()) return found;
    level = &first.get_object();
    if (std::string code = code_text(level->if_contains("code")); !code.empty()) found = std::move(code);
  }
  return found;
}

}  // namespace

bool ServiceError::has_code(std::string_view wanted) const {
  return code == wanted || detail == wanted || std::find(inner.begin(), inner.end(), wanted) != inner.end();
}

ServiceError parse_service_error(std::string_view body) {
  ServiceError out;
  boost::system::error_code failed;
  const boost::json::value root = boost::json::parse(body, failed);
  if (failed || !root.is_object()) return out;
  const boost::json::value* error = root.get_object().if_contains("error");
  if (error == nullptr || !error->is_object()) return out;
  const boost::json::object& object = error->get_object();
  out.code = code_text(object.if_contains("code"));
  out.detail = first_detail(object);
  collect_inner(object, out);
  const boost::json::value* message = object.if_contains("message");
  if (message != nullptr && message->is_string())
    out.disabled_secret = std::string_view(message->get_string()).find("disabled secret") != std::string_view::npos;
  return out;
}

ServiceError service_error_of(const net::HttpReply& reply) {
  if (!reply.secret_body.empty()) return reply.secret_body.expose([](std::string_view body) { return parse_service_error(body); });
  return parse_service_error(reply.body);
}

Error error_of_status(const net::HttpReply& reply, const ServiceError& error, Effect effect, std::string_view service) {
  const std::string subject(service);
  const auto wait = retry_after(reply);
  if (reply.status == 429) return {Errc::Throttled, subject + " asks to slow down", wait};
  if (reply.status == 408 || reply.status >= 500) {
    if (effect == Effect::Write) return {Errc::OutcomeUnknown, subject + " failed while it handled a write", wait};
    return {Errc::Unavailable, subject + " is not available", wait};
  }
  if (reply.status == 409) return {Errc::Conflict, subject + " refuses because of a conflict", wait};
  if (reply.status == 401) return {Errc::Denied, subject + " does not accept the token"};
  if (reply.status == 403) return {Errc::Denied, subject + " denies permission"};
  // A 404 without the documented body comes from something in between, not from the service.
  if (reply.status == 404 && !error.code.empty()) return {Errc::NotFound, subject + " does not have it"};
  if (reply.status == 404) return {Errc::Unavailable, subject + " cannot be reached through what answered"};
  if (reply.status >= 300 && reply.status < 400) return {Errc::Invalid, subject + " answered with a redirect"};
  return {Errc::Invalid, subject + " refuses the request"};
}

}  // namespace keyturn
