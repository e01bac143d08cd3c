#include "sim/entra/token_service.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "base/secret_memory.h"
#include "sim/reply.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view platform_identity_header = "keyturn-sim";

// A form whose secret members are in the arena; the others are ordinary text.
struct TokenForm {
  std::string grant_type;
  std::string client_id;
  std::string scope;
  std::string assertion_type;
  Secret client_secret;
  Secret assertion;
};

Secret take_secret(std::map<std::string, std::string>& pairs, const std::string& name) {
  const auto found = pairs.find(name);
  if (found == pairs.end()) return {};
  Secret secret = Secret::copy_of(found->second);
  OPENSSL_cleanse(found->second.data(), found->second.size());
  pairs.erase(found);
  return secret;
}

Answer<TokenForm> read_form(const Request& request) {
  auto pairs = request.body.expose([](std::string_view text) { return split_pairs(text, true); });
  if (!pairs) return Refusal{400, "invalid_request", "The request body is malformed.", "900144"};
  TokenForm form;
  form.client_secret = take_secret(*pairs, "client_secret");
  form.assertion = take_secret(*pairs, "client_assertion");
  form.grant_type = (*pairs)["grant_type"];
  form.client_id = (*pairs)["client_id"];
  form.scope = (*pairs)["scope"];
  form.assertion_type = (*pairs)["client_assertion_type"];
  return form;
}

Answer<> check_form(const TokenForm& form) {
  if (form.grant_type != "client_credentials") return Refusal{400, "unsupported_grant_type", "The grant type is not supported.", "70003"};
  if (form.client_id.empty()) return Refusal{400, "invalid_request", "The request body must contain the parameter 'client_id'.", "900144"};
  if (!std::string_view(form.scope).ends_with("/.default"))
    return Refusal{400, "invalid_scope", "The scope is not valid; it must end with '/.default'.", "1002012"};
  return {};
}

std::int64_t seconds_of(Duration duration) { return std::chrono::duration_cast<std::chrono::seconds>(duration).count(); }

net::HttpReply identity_problem(int status, std::string_view code, std::string_view text) {
  return json_reply(status, json::object{{"error", code}, {"error_description", text}});
}

}  // namespace

Route TokenService::route(const Request& request) {
  const auto& path = request.segments;
  Route route{.service = Service::Entra};
  if (!path.empty()) route.tenant = path[0];
  if (path.size() == 4 && path[1] == "oauth2" && path[2] == "v2.0" && path[3] == "token" && request.method == "POST") {
    route.operation = "entra.token";
  } else if (path.size() == 4 && path[2] == ".well-known" && path[3] == "openid-configuration" && request.method == "GET") {
    route.operation = "entra.metadata";
  } else if (path.size() == 3 && path[1] == "discovery" && path[2] == "instance" && request.method == "GET") {
    route.operation = "entra.metadata";
  } else {
    return {};
  }
  return route;
}

net::HttpReply TokenService::handle(const Request& request, const Route& route, Instant now, std::string& principal) {
  return route.operation == "entra.token" ? token(request, route, now, principal) : metadata(request, route);
}

net::HttpReply TokenService::refused(const Refusal& refusal, Instant now) {
  int number = 0;
  std::from_chars(refusal.inner_code.data(), refusal.inner_code.data() + refusal.inner_code.size(), number);
  const std::string trace = random_.uuid();
  const std::string correlation = random_.uuid();
  return json_reply(refusal.status,
                    json::object{{"error", refusal.code},
                                 {"error_description", fmt::format("AADSTS{}: {} Trace ID: {} Correlation ID: {}", refusal.inner_code,
                                                                   refusal.message, trace, correlation)},
                                 {"error_codes", json::array{number}},
                                 {"timestamp", format_seconds(now)},
                                 {"trace_id", trace},
                                 {"correlation_id", correlation}});
}

net::HttpReply TokenService::token(const Request& request, const Route& route, Instant now, std::string& principal) {
  const auto form = read_form(request);
  if (!form) return refused(form.error(), now);
  if (const auto checked = check_form(*form); !checked) return refused(checked.error(), now);
  const std::string token_url = "https://" + request.host + request.path;
  const bool by_assertion = form->assertion_type == assertion_type;
  const auto known = by_assertion ? directory_.check_assertion(form->client_id, form->assertion, token_url, now)
                                  : directory_.check_secret(form->client_id, form->client_secret);
  if (!known) return refused(known.error(), now);
  principal = lower(form->client_id);

  const Secret token = tokens_.issue(lower(route.tenant), principal, audience_of_scope(form->scope), now, settings_.lifetime);
  const std::int64_t lifetime = seconds_of(settings_.lifetime);
  SecretBuffer body;
  body.append(fmt::format(R"({{"token_type":"Bearer","expires_in":{},"ext_expires_in":{},)", lifetime, lifetime));
  if (settings_.refresh_in) body.append(fmt::format(R"("refresh_in":{},)", seconds_of(*settings_.refresh_in)));
  body.append(R"("access_token":)");
  token.expose([&](std::string_view text) { append_json_string(body, text); });
  body.append("}");
  return secret_reply(200, std::move(body).finish());
}

net::HttpReply TokenService::metadata(const Request& request, const Route& route) const {
  const std::string authority = "https://" + request.host + "/" + route.tenant;
  if (route.tenant == "common") {
    return json_reply(200, json::object{{"tenant_discovery_endpoint", authority + "/v2.0/.well-known/openid-configuration"},
                                        {"api-version", "1.1"},
                                        {"metadata", json::array{}}});
  }
  return json_reply(200, json::object{{"issuer", authority + "/v2.0"},
                                      {"token_endpoint", authority + "/oauth2/v2.0/token"},
                                      {"authorization_endpoint", authority + "/oauth2/v2.0/authorize"},
                                      {"token_endpoint_auth_methods_supported", json::array{"client_secret_post", "private_key_jwt"}}});
}

net::HttpReply TokenService::managed_identity(const std::string& client_id, std::string_view resource, Instant now) {
  if (const auto known = directory_.check_known(client_id); !known) return identity_problem(400, "invalid_request", "Identity not found");
  const Secret token = tokens_.issue(lower(settings_.tenant), lower(client_id), audience_of_scope(resource), now, settings_.lifetime);
  const std::int64_t expires = seconds_of(now.time_since_epoch() + settings_.lifetime);
  SecretBuffer body;
  // Numbers are strings here, unlike at the token endpoint.
  body.append(
      fmt::format(R"({{"token_type":"Bearer","expires_in":"{}","expires_on":"{}","client_id":)", seconds_of(settings_.lifetime), expires));
  append_json_string(body, client_id);
  body.append(R"(,"resource":)");
  append_json_string(body, resource);
  body.append(R"(,"access_token":)");
  token.expose([&](std::string_view text) { append_json_string(body, text); });
  body.append("}");
  return secret_reply(200, std::move(body).finish());
}

net::HttpReply TokenService::instance_metadata(const Request& request, Instant now) {
  if (!same_word(request.header_or("metadata", ""), "true"))
    return identity_problem(400, "bad_request", "Required metadata header not specified");
  const std::string_view resource = request.query_or("resource", "");
  if (resource.empty() || !request.query.contains("api-version"))
    return identity_problem(400, "invalid_request", "Required query variable is missing");
  return managed_identity(std::string(request.query_or("client_id", "system")), resource, now);
}

net::HttpReply TokenService::platform_identity(const Request& request, Instant now) {
  if (request.header_or("x-identity-header", "") != platform_identity_header)
    return identity_problem(401, "unauthorized", "X-IDENTITY-HEADER is missing or wrong");
  const std::string_view resource = request.query_or("resource", "");
  const std::string_view client_id = request.query_or("client_id", "");
  // With user-assigned identities an id is mandatory; there is no fallback (measured).
  if (client_id.empty()) return identity_problem(400, "invalid_request", "Unable to load the proper Managed Identity.");
  if (resource.empty()) return identity_problem(400, "invalid_request", "Required query variable is missing");
  return managed_identity(std::string(client_id), resource, now);
}

}  // namespace keyturn::sim
