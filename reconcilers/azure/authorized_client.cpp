#include "reconcilers/azure/authorized_client.h"

#include <algorithm>

#include "reconcilers/azure/challenge.h"

namespace keyturn {
namespace {

constexpr Duration life_for_a_write{60'000};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// What a challenge asks for must be what we were configured for; a service that asks for anything else gets no further token.
std::optional<Error> foreign_challenge(const BearerChallenge& challenge, const Audience& audience) {
  if (!challenge.resource.empty() && !equal_ignoring_case(challenge.resource, audience.resource))
    return Error{Errc::Denied, audience.name + " asks for a token of another audience"};
  const bool any_tenant = challenge.tenant.empty() || challenge.tenant == "common" || challenge.tenant == "organizations";
  if (!any_tenant && !audience.tenant.empty() && !equal_ignoring_case(challenge.tenant, audience.tenant))
    return Error{Errc::Denied, audience.name + " belongs to another tenant"};
  return std::nullopt;
}

Error as_met_by(Error error, Effect effect, const std::string& service) {
  if (effect == Effect::Read && (error.code == Errc::OutcomeUnknown || error.code == Errc::Invalid))
    return {Errc::Unavailable, service + " did not answer", error.retry_after};
  // An unreadable answer came after the request: the write may have been done.
  if (effect == Effect::Write && error.code == Errc::Invalid)
    return {Errc::OutcomeUnknown, service + " gave an unreadable answer to a write"};
  return error;
}

}  // namespace

bool Audience::includes(const net::Origin& other) const {
  if (other == origin) return true;
  if (parent_domain.empty() || other.scheme != "https" || other.port != 443) return false;
  const std::string suffix = "." + parent_domain;
  return other.host.size() > suffix.size() && other.host.ends_with(suffix);
}

Task<net::HttpReply> AuthorizedClient::send_with(Context context, net::Origin origin, net::HttpRequest request, Effect effect) {
  if (effect == Effect::Write && !context.may_send()) co_return Error{Errc::Unavailable, "too late to send: the send deadline has passed"};
  Result<net::HttpReply> reply = co_await http_->send(context.with_timeout(request_timeout_), std::move(origin), std::move(request));
  if (!reply) co_return as_met_by(reply.error(), effect, audience_.name);
  co_return reply;
}

Task<net::HttpReply> AuthorizedClient::send(Context context, net::Origin origin, net::HttpRequest request, Effect effect) {
  if (!audience_.includes(origin)) co_return Error{Errc::Invalid, audience_.name + " points to another host"};
  const Duration life_min = effect == Effect::Write ? life_for_a_write : Duration{0};
  for (int attempt = 0;; ++attempt) {
    const Result<std::shared_ptr<const Secret>> token = co_await tokens_->token(context, audience_.resource, life_min);
    if (!token) co_return token.error();
    net::HttpRequest copy = request;
    copy.bearer = *token;
    Result<net::HttpReply> reply = co_await send_with(context, origin, std::move(copy), effect);
    if (!reply || reply->status != 401) co_return reply;
    const std::optional<BearerChallenge> challenge = bearer_challenge_of(*reply);
    if (challenge) {
      if (const auto foreign = foreign_challenge(*challenge, audience_)) co_return *foreign;
    }
    tokens_->drop(audience_.resource, *token, challenge ? challenge->claims : std::string());
    if (attempt > 0) co_return Error{Errc::Denied, audience_.name + " does not accept the token"};
  }
}

}  // namespace keyturn
