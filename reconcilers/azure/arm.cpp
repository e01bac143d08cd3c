#include "reconcilers/azure/arm.h"

#include <boost/json/parse.hpp>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "reconcilers/azure/http_time.h"

namespace keyturn {
namespace {

namespace json = boost::json;

constexpr Duration busy_delay{5'000};

Audience audience_of(ArmClient::Settings& settings) {
  const std::string domain = settings.regional_hosts ? settings.origin.host : std::string();
  return {std::move(settings.audience), std::move(settings.origin), domain, std::move(settings.tenant), "Azure Resource Manager"};
}

// One id for all requests of one piece of work, as Azure's activity log groups them (AR-A4). Derived, so that it needs no state.
std::string correlation_id(const std::string& who) {
  const std::string digest = to_hex(sha256("keyturn-correlation " + who.substr(0, who.find(' '))));
  return digest.substr(0, 8) + "-" + digest.substr(8, 4) + "-5" + digest.substr(13, 3) + "-8" + digest.substr(17, 3) + "-" +
         digest.substr(20, 12);
}

std::string header_text(const net::HttpReply& reply, std::string_view name) {
  return std::string(reply.headers.find(name).value_or("")).substr(0, 128);
}

void log_refusal(const Context& context, const net::HttpReply& reply, const ServiceError& error) {
  log::warn("Azure Resource Manager refused a request", {{"who", context.who()},
                                                         {"status", reply.status},
                                                         {"code", error.code},
                                                         {"detail", error.detail},
                                                         {"request", header_text(reply, "x-ms-request-id")},
                                                         {"correlation", header_text(reply, "x-ms-correlation-request-id")},
                                                         {"routing", header_text(reply, "x-ms-routing-request-id")}});
}

json::value parse_or_null(std::string_view text) {
  boost::system::error_code failed;
  json::value body = json::parse(text, failed);
  return failed ? json::value(nullptr) : body;
}

const json::value* member(const json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

std::string_view text_of(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string_view state_text(const json::value& body) {
  if (const std::string_view status = text_of(member(body, "status")); !status.empty()) return status;
  const json::value* properties = member(body, "properties");
  return properties == nullptr ? std::string_view() : text_of(member(*properties, "provisioningState"));
}

}  // namespace

OperationState operation_state(int status, const json::value& body) {
  const std::string_view state = state_text(body);
  if (state == "Failed" || state == "Canceled" || state == "Cancelled") return OperationState::Failed;
  if (status == 202) return OperationState::Running;
  return state.empty() || state == "Succeeded" ? OperationState::Succeeded : OperationState::Running;
}

Error arm_error(const ArmReply& reply, Effect effect) {
  net::HttpReply plain;
  plain.status = reply.status;
  plain.headers = reply.headers;
  Error error = error_of_status(plain, reply.error, effect, "Azure Resource Manager");
  if (error.code == Errc::Conflict)
    return {Errc::Throttled, "another operation of the resource is running", error.retry_after.value_or(busy_delay)};
  return error;
}

ArmClient::ArmClient(std::shared_ptr<net::HttpClient> http, std::shared_ptr<TokenSource> tokens, std::shared_ptr<Random> random,
                     Settings settings)
    : client_(std::move(http), std::move(tokens), audience_of(settings), settings.request_timeout), random_(std::move(random)) {}

Task<ArmReply> ArmClient::send_to(Context context, net::Url url, std::string method, std::string body, Effect effect) {
  const BootInstant now = context.clock().boot_now();
  if (now < paused_until_) co_return Error{Errc::Throttled, "Azure Resource Manager asked to slow down", paused_until_ - now};
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(url.target);
  request.headers.add("Accept", "application/json");
  request.headers.add("x-ms-client-request-id", random_->uuid());
  request.headers.add("x-ms-return-client-request-id", "true");
  request.headers.add("x-ms-correlation-request-id", correlation_id(context.who()));
  // The service answers 415 to application/merge-patch+json, although PATCH is one (CA-A9).
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  const Result<net::HttpReply> reply = co_await client_.send(context, std::move(url.origin), std::move(request), effect);
  if (!reply) co_return reply.error();
  ArmReply out;
  out.status = reply->status;
  out.date = reply_date(*reply);
  out.headers = reply->headers;
  if (out.success()) {
    out.body = parse_or_null(reply->body);
  } else {
    out.error = service_error_of(*reply);
    log_refusal(context, *reply, out.error);
    if (out.status == 429) paused_until_ = context.clock().boot_now() + retry_after(*reply).value_or(busy_delay);
  }
  co_return out;
}

Task<ArmReply> ArmClient::send(Context context, std::string method, std::string target, std::string body, Effect effect) {
  net::Url url{origin(), std::move(target)};
  co_return co_await send_to(std::move(context), std::move(url), std::move(method), std::move(body), effect);
}

Task<ArmReply> ArmClient::follow(Context context, net::Url url) {
  Result<ArmReply> reply = co_await send_to(std::move(context), std::move(url), "GET", {}, Effect::Read);
  if (!reply) co_return reply;
  if (!reply->success()) co_return arm_error(*reply, Effect::Read);
  if (!reply->body.is_object()) co_return Error{Errc::Unavailable, "Azure Resource Manager answered with something unexpected"};
  co_return reply;
}

Task<ArmReply> ArmClient::get(Context context, std::string target) {
  net::Url url{origin(), std::move(target)};
  co_return co_await follow(std::move(context), std::move(url));
}

Result<std::optional<ArmOperation>> ArmClient::operation_of(const ArmReply& reply, const std::string& resource) const {
  using Style = ArmOperation::Style;
  const std::pair<std::string_view, Style> headers[] = {{"Azure-AsyncOperation", Style::AsyncOperation}, {"Location", Style::Location}};
  for (const auto& [name, style] : headers) {
    const auto text = reply.headers.find(name);
    if (!text || (reply.status != 202 && reply.status != 201)) continue;
    const Result<net::Url> url = net::Url::parse(*text);
    if (!url || text->size() > operation_url_bytes_max) return Error{Errc::Invalid, "the operation's address cannot be used"};
    if (!client_.audience().includes(url->origin)) return Error{Errc::Invalid, "the operation's address is on another host"};
    return std::optional(ArmOperation{style, *url});
  }
  if (reply.status != 202 && operation_state(reply.status, reply.body) != OperationState::Running) return std::optional<ArmOperation>();
  return std::optional(ArmOperation{Style::ProvisioningState, net::Url{origin(), resource}});
}

Task<OperationStatus> ArmClient::look(Context context, ArmOperation operation) {
  const Result<ArmReply> reply = co_await send_to(std::move(context), std::move(operation.url), "GET", {}, Effect::Read);
  if (!reply) co_return reply.error();
  OperationStatus out;
  out.date = reply->date;
  net::HttpReply headers_only;
  headers_only.headers = reply->headers;
  out.retry_after = retry_after(headers_only);
  if (reply->success()) {
    out.state = operation_state(reply->status, reply->body);
    if (const json::value* error = member(reply->body, "error"); error != nullptr && error->is_object())
      out.error.code = std::string(text_of(error->get_object().if_contains("code"))).substr(0, 64);
    co_return out;
  }
  if (reply->status == 404 || reply->status == 410) {
    out.state = OperationState::Gone;
    co_return out;
  }
  co_return arm_error(*reply, Effect::Read);
}

}  // namespace keyturn
