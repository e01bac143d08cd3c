#include "reconcilers/azure/identity.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/log.h"
#include "base/secret_memory.h"
#include "reconcilers/azure/http_time.h"
#include "reconcilers/azure/secret_file.h"

namespace keyturn {
namespace {

constexpr Duration request_timeout{10'000};
constexpr Duration retry_delay{1'000};
constexpr Duration refresh_margin{300'000};
constexpr std::size_t token_reply_bytes_max = std::size_t{64} << 10;

// application/x-www-form-urlencoded, without a copy outside the arena.
void append_form_value(SecretBuffer& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(hex[byte >> 4]);
      out.push_back(hex[byte & 15]);
    }
  }
}

// Seconds as a number, or as the string that the metadata service sends.
std::optional<std::int64_t> seconds_at(const boost::json::value& root, std::string_view name) {
  if (!root.is_object()) return std::nullopt;
  const boost::json::value* value = root.get_object().if_contains(name);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code inexact;
  if (value->is_number()) {
    const auto number = value->to_number<std::int64_t>(inexact);
    return inexact ? std::nullopt : std::optional(number);
  }
  if (!value->is_string()) return std::nullopt;
  const std::string_view text(value->get_string());
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Duration bounded_seconds(std::int64_t seconds) { return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 30 * 24 * 3600)); }

Result<IssuedToken> read_token(const net::HttpReply& reply, Instant now) {
  const Result<SecretJson> body = SecretJson::parse(reply.secret_body);
  if (!body) return Error{Errc::Unavailable, "the token endpoint answered with something else than a token"};
  Result<Secret> value = body->secret_at("/access_token");
  // What is not printable cannot be sent in a header, so it is no token.
  const auto printable = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  };
  if (!value || value->empty() || !value->expose(printable)) return Error{Errc::Unavailable, "the token endpoint answered without a token"};
  IssuedToken token;
  token.value = std::move(*value);
  const auto expires_in = seconds_at(body->root(), "expires_in");
  const auto expires_on = seconds_at(body->root(), "expires_on");
  if (expires_in) {
    token.lifetime = bounded_seconds(*expires_in);
  } else if (expires_on) {
    token.lifetime = bounded_seconds(*expires_on - std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
  }
  if (token.lifetime <= Duration{0}) return Error{Errc::Unavailable, "the token endpoint answered with a token that has expired"};
  if (const auto refresh_in = seconds_at(body->root(), "refresh_in")) token.refresh_in = bounded_seconds(*refresh_in);
  return token;
}

std::string text_at(const boost::json::value& root, std::string_view name) {
  const boost::json::value* value = root.is_object() ? root.get_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

// Only what AU-A5 allows is kept: the AADSTS number for the message, trace and correlation id for the log.
Error refused(const net::HttpReply& reply, const Context& context) {
  const auto wait = retry_after(reply);
  if (reply.status == 429) return {Errc::Throttled, "the token endpoint asks to slow down", wait};
  const Result<SecretJson> body = SecretJson::parse(reply.secret_body);
  if ((reply.status != 400 && reply.status != 401) || !body) return {Errc::Unavailable, "the token endpoint is not available", wait};
  std::int64_t number = 0;
  const boost::json::value& root = body->root();
  const boost::json::value* codes = root.is_object() ? root.get_object().if_contains("error_codes") : nullptr;
  if (codes != nullptr && codes->is_array() && !codes->get_array().empty() && codes->get_array().front().is_int64())
    number = codes->get_array().front().get_int64();
  log::warn("the token endpoint refused the identity", {{"who", context.who()},
                                                        {"aadsts", number},
                                                        {"trace", text_at(root, "trace_id").substr(0, 64)},
                                                        {"correlation", text_at(root, "correlation_id").substr(0, 64)}});
  if (number == 0) return {Errc::Denied, "the token endpoint refuses the identity"};
  return {Errc::Denied, "the token endpoint refuses the identity: AADSTS" + std::to_string(number)};
}

// Asking for a token changes nothing, so whatever went wrong on the way, nothing was applied.
Error nothing_applied(Error error) {
  if (error.code == Errc::OutcomeUnknown || error.code == Errc::Invalid)
    return {Errc::Unavailable, "the token endpoint did not answer", error.retry_after};
  return error;
}

}  // namespace

Task<IssuedToken> ClientCredentialIssuer::issue(Context context, std::string resource, std::string claims) {
  const Result<Secret> proof = read_secret_file(settings_.file);
  if (!proof) co_return proof.error();
  SecretBuffer form;
  form.append("grant_type=client_credentials&client_id=");
  append_form_value(form, settings_.client_id);
  form.append("&scope=");
  append_form_value(form, resource + "/.default");
  if (settings_.proof == Proof::Assertion) {
    form.append("&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=");
  } else {
    form.append("&client_secret=");
  }
  proof->expose([&form](std::string_view text) { append_form_value(form, text); });
  if (!claims.empty()) {
    form.append("&claims=");
    append_form_value(form, claims);
  }
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/" + percent_encode(settings_.tenant) + "/oauth2/v2.0/token";
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");
  request.secret_body = std::make_shared<const Secret>(std::move(form).finish());
  request.secret_reply = true;
  request.reply_bytes_max = token_reply_bytes_max;
  const Result<net::HttpReply> reply = co_await http_->send(context.with_timeout(request_timeout), settings_.authority, std::move(request));
  if (!reply) co_return nothing_applied(reply.error());
  if (reply->status != 200) co_return refused(*reply, context);
  co_return read_token(*reply, context.clock().now());
}

Task<IssuedToken> ManagedIdentityIssuer::issue(Context context, std::string resource, std::string) {
  net::HttpRequest request;
  request.target = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" + percent_encode(resource);
  if (!client_id_.empty()) request.target += "&client_id=" + percent_encode(client_id_);
  request.headers.add("Metadata", "true");
  request.secret_reply = true;
  request.reply_bytes_max = token_reply_bytes_max;
  const Result<net::HttpReply> reply = co_await http_->send(context.with_timeout(request_timeout), endpoint_, std::move(request));
  if (!reply) co_return nothing_applied(reply.error());
  if (reply->status != 200) co_return refused(*reply, context);
  co_return read_token(*reply, context.clock().now());
}

// Ends a flight however the fetching coroutine ends, so that nobody waits for one that was cancelled.
class TokenSource::Flight {
 public:
  Flight(Slot& slot, boost::asio::any_io_executor executor) : slot_(slot) { slot_.flight = std::make_shared<Event>(std::move(executor)); }
  ~Flight() { std::exchange(slot_.flight, nullptr)->set(); }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

 private:
  Slot& slot_;
};

Task<std::shared_ptr<const Secret>> TokenSource::token(Context context, std::string resource, Duration life_min) {
  Slot& slot = slots_[resource];
  for (;;) {
    const BootInstant now = context.clock().boot_now();
    const bool busy = slot.flight != nullptr || now < slot.retry_at;
    if (slot.usable(now, life_min) && (now < slot.refresh_at || busy)) co_return slot.value;
    if (slot.flight == nullptr) {
      if (busy && slot.failure) co_return slot.usable(now, Duration{0}) ? Result<std::shared_ptr<const Secret>>(slot.value) : *slot.failure;
      break;
    }
    if (context.expired()) co_return Error{Errc::Unavailable, "no token in time"};
    const std::shared_ptr<Event> flight = slot.flight;
    co_await flight->wait(context.clock(), std::min(context.remaining().value_or(request_timeout), request_timeout));
  }
  co_return co_await fetch(std::move(context), std::move(resource));
}

Task<std::shared_ptr<const Secret>> TokenSource::fetch(Context context, std::string resource) {
  Slot& slot = slots_[resource];
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  const Flight flight(slot, executor);
  Result<IssuedToken> issued = co_await issuer_->issue(context.named("token"), resource, slot.claims);
  const BootInstant now = context.clock().boot_now();
  if (!issued) {
    slot.failure = issued.error();
    slot.retry_at = now + issued.error().retry_after.value_or(retry_delay);
    if (slot.usable(now, Duration{0})) co_return slot.value;
    co_return issued.error();
  }
  const Duration margin = std::min(refresh_margin, issued->lifetime / 2);
  slot.value = std::make_shared<const Secret>(std::move(issued->value));
  slot.expires_at = now + issued->lifetime;
  slot.refresh_at = now + std::min(issued->refresh_in.value_or(issued->lifetime - margin), issued->lifetime);
  slot.retry_at = now;
  slot.failure.reset();
  slot.claims.clear();
  co_return slot.value;
}

void TokenSource::drop(const std::string& resource, const std::shared_ptr<const Secret>& refused, std::string claims) {
  Slot& slot = slots_[resource];
  if (slot.value != refused) return;
  slot.value.reset();
  slot.claims = std::move(claims);
}

Result<std::shared_ptr<TokenIssuer>> make_token_issuer(const api::AzureSettings& settings, const AzureCloud& cloud,
                                                       std::shared_ptr<net::HttpClient> http, const std::string& federated_token_file) {
  const api::AzureIdentity& identity = settings.identity;
  const bool by_file = identity.type == api::IdentityType::ClientSecret || identity.type == api::IdentityType::WorkloadIdentity;
  if (by_file) {
    const bool secret = identity.type == api::IdentityType::ClientSecret;
    const std::string& file = secret ? identity.client_secret_file : federated_token_file;
    if (settings.tenant_id.empty() || identity.client_id.empty())
      return Error{Errc::Invalid, "the identity needs a tenant and a client id"};
    if (file.empty()) return Error{Errc::Invalid, "the identity's file is not set"};
    return std::shared_ptr<TokenIssuer>(std::make_shared<ClientCredentialIssuer>(
        std::move(http),
        ClientCredentialIssuer::Settings{cloud.authority, settings.tenant_id, identity.client_id,
                                         secret ? ClientCredentialIssuer::Proof::Secret : ClientCredentialIssuer::Proof::Assertion, file}));
  }
  if (identity.type == api::IdentityType::ManagedIdentity) {
    const net::Origin metadata = cloud.custom ? cloud.authority : net::Origin{"http", "169.254.169.254", 80};
    return std::shared_ptr<TokenIssuer>(std::make_shared<ManagedIdentityIssuer>(std::move(http), metadata, identity.client_id));
  }
  return Error{Errc::Invalid, "this build cannot use that type of Azure identity"};
}

}  // namespace keyturn
