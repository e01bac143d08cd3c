#include "sim/arm/arm_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <initializer_list>
#include <span>

#include "base/secret_memory.h"
#include "sim/apps/app_view.h"
#include "sim/reply.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

struct ArmService::Call {
  const Request& request;
  const Route& route;
  Instant now;
};

namespace {

constexpr std::string_view retry_after_s = "1";  // between two looks at an operation
constexpr std::size_t page_items_max = 20;       // of a list of apps or jobs

Refusal not_found(std::string_view what) { return {404, "ResourceNotFound", "The Resource '" + std::string(what) + "' was not found."}; }

net::HttpReply empty_reply(int status) {
  net::HttpReply reply;
  reply.status = status;
  return reply;
}

using Path = std::span<const std::string>;

// Behind .../containerApps/{app}: what is asked of the app.
void route_app(Path rest, const std::string& method, Route& route) {
  const auto is = [&](std::size_t at, std::string_view word) { return rest.size() > at && same_word(rest[at], word); };
  const bool get = method == "GET";
  const bool post = method == "POST";
  if (rest.empty()) {
    if (get) route.operation = "apps.get";
    if (method == "PATCH") route.operation = "apps.patch";
  } else if (is(0, "providers")) {
    if (rest.size() == 3 && get && is(1, "Microsoft.Authorization") && is(2, "permissions")) route.operation = "permissions.list";
  } else if (rest.size() == 1 && !is(0, "revisions")) {
    if (post && is(0, "listSecrets")) route.operation = "apps.list-secrets";
    if (post && is(0, "start")) route.operation = "apps.start";
    if (post && is(0, "stop")) route.operation = "apps.stop";
  } else if (is(0, "revisions")) {
    if (rest.size() > 1) route.revision = rest[1];
    if (rest.size() > 3) route.replica = rest[3];
    if (rest.size() == 1 && get) route.operation = "revisions.list";
    if (rest.size() == 2 && get) route.operation = "revisions.get";
    if (rest.size() == 3 && get && is(2, "replicas")) route.operation = "replicas.list";
    if (rest.size() == 4 && get && is(2, "replicas")) route.operation = "replicas.get";
    for (const std::string_view verb : {"restart", "activate", "deactivate"}) {
      if (rest.size() == 3 && post && is(2, verb)) route.operation = "revisions." + std::string(verb);
    }
  }
}

// Behind .../providers/Microsoft.App of a subscription.
void route_subscription(Path rest, const std::string& method, Route& route) {
  if (method != "GET") return;
  if (rest.size() == 1 && same_word(rest[0], "containerApps")) route.operation = "apps.list";
  if (rest.size() != 4 || !same_word(rest[0], "locations")) return;
  route.operation_id = rest[3];
  if (same_word(rest[2], "containerappOperationStatuses")) route.operation = "operations.status";
  if (same_word(rest[2], "containerappOperationResults")) route.operation = "operations.result";
}

std::string_view status_text(Operation::Status status) {
  switch (status) {
    case Operation::Status::InProgress:
      return "InProgress";
    case Operation::Status::Succeeded:
      return "Succeeded";
    case Operation::Status::Failed:
      return "Failed";
  }
  return "InProgress";
}

ArmThrottle::Kind throttle_kind(const std::string& method) {
  if (method == "GET") return ArmThrottle::Kind::Read;
  return method == "DELETE" ? ArmThrottle::Kind::Delete : ArmThrottle::Kind::Write;
}

net::HttpReply unauthorized(Tokens::Verdict verdict, const std::string& authority) {
  const bool expired = verdict == Tokens::Verdict::Expired;
  const bool missing = verdict == Tokens::Verdict::Missing;
  const std::string_view code = expired ? "ExpiredAuthenticationToken" : missing ? "AuthenticationFailed" : "InvalidAuthenticationToken";
  net::HttpReply reply = arm_refusal({401, std::string(code), fmt::format("The access token is not accepted: {}.", name_of(verdict))});
  std::string header = fmt::format(R"(Bearer authorization_uri="{}", error="invalid_token")", authority);
  if (verdict == Tokens::Verdict::Revoked) header = R"(Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==")";
  reply.headers.add("WWW-Authenticate", std::move(header));
  return reply;
}

bool is_json(std::string_view content_type) { return same_word(content_type.substr(0, content_type.find(';')), "application/json"); }

}  // namespace

Route ArmService::route(const Request& request) {
  const Path path = request.segments;
  const auto is = [&](std::size_t at, std::string_view word) { return path.size() > at && same_word(path[at], word); };
  if (!is(0, "subscriptions")) return {};
  Route route{.service = Service::Arm};
  if (path.size() == 1 && request.method == "GET") route.operation = "subscriptions.list";
  if (path.size() > 1) route.subscription = path[1];
  if (is(2, "providers") && is(3, "Microsoft.App")) {
    route_subscription(path.subspan(4), request.method, route);
  } else if (is(2, "resourceGroups") && is(4, "providers") && is(5, "Microsoft.App") && is(6, "containerApps")) {
    route.group = path[3];
    if (path.size() == 7 && request.method == "GET") route.operation = "apps.list";
    if (path.size() > 7) {
      route.app = path[7];
      route_app(path.subspan(8), request.method, route);
    }
  } else if (is(2, "resourceGroups") && is(4, "providers") && is(5, "Microsoft.App") && is(6, "jobs")) {
    route.group = path[3];
    if (path.size() == 7 && request.method == "GET") route.operation = "jobs.list";
  }
  return route;
}

net::HttpReply ArmService::handle(const Request& request, const Route& route, const std::string& authority, Instant now,
                                  std::string& principal) {
  net::HttpReply reply = answer(Call{request, route, now}, authority, principal);
  reply.headers.add("x-ms-request-id", random_.uuid());
  const std::string_view correlation = request.header_or("x-ms-correlation-request-id", "");
  reply.headers.add("x-ms-correlation-request-id", correlation.empty() ? random_.uuid() : std::string(correlation));
  if (same_word(request.header_or("x-ms-return-client-request-id", ""), "true")) {
    reply.headers.add("x-ms-client-request-id", std::string(request.header_or("x-ms-client-request-id", "")));
  }
  return reply;
}

net::HttpReply ArmService::answer(const Call& call, const std::string& authority, std::string& principal) {
  const Tokens::Checked checked = tokens_.check(call.request.bearer, directory_.tenant, arm_audience, call.now);
  principal = checked.principal;
  if (checked.verdict != Tokens::Verdict::Accepted) return unauthorized(checked.verdict, authority);
  const ArmThrottle::Kind kind = throttle_kind(call.request.method);
  const ArmThrottle::Taken taken = throttle_.take(principal, kind, call.now);
  const std::string remaining = "x-ms-ratelimit-remaining-subscription-" + std::string(name_of(kind));
  net::HttpReply reply;
  if (!taken.allowed) {
    reply = arm_refusal(
        {429, "SubscriptionRequestsThrottled", "Number of requests for the subscription and the principal exceeded the limit."});
    reply.headers.add("Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(taken.retry_after).count()));
  } else {
    auto done = perform(call, principal);
    reply = done ? std::move(*done) : arm_refusal(done.error());
  }
  reply.headers.add(remaining, std::to_string(taken.remaining));
  return reply;
}

Answer<net::HttpReply> ArmService::perform(const Call& call, std::string_view principal) {
  const Route& route = call.route;
  if (call.request.query_or("api-version", "").empty())
    return Refusal{400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."};
  if (route.operation.empty()) return Refusal{404, "InvalidResourceType", "The resource type or operation could not be found."};
  const std::string_view action = action_of(route.operation);
  if (!access_.allows(principal, action, call.now)) {
    return Refusal{403, "AuthorizationFailed",
                   fmt::format("The client does not have authorization to perform action 'Microsoft.App/containerApps/{}' over the scope, "
                               "or the scope is invalid.",
                               action)};
  }
  if (route.operation == "subscriptions.list") {
    return json_reply(200, json::object{{"value", json::array{json::object{{"id", "/subscriptions/" + directory_.subscription},
                                                                           {"subscriptionId", directory_.subscription},
                                                                           {"tenantId", directory_.tenant},
                                                                           {"displayName", "keyturn-sim"},
                                                                           {"state", "Enabled"}}}}});
  }
  if (!same_word(route.subscription, directory_.subscription))
    return Refusal{404, "SubscriptionNotFound", "The subscription could not be found."};
  if (route.operation == "apps.list") return list_apps(call);
  if (route.operation == "jobs.list") return list_jobs(call);
  if (route.operation.starts_with("operations.")) return follow_operation(call);
  App* app = apps_.find(route.subscription, route.group, route.app);
  if (!app) return not_found("Microsoft.App/containerApps/" + route.app);
  if (route.operation == "permissions.list") return list_permissions(call, principal);
  return perform_on_app(call, *app);
}

Answer<net::HttpReply> ArmService::list_apps(const Call& call) const {
  json::array items;
  for (const auto& app : apps_.all()) {
    if (call.route.group.empty() || same_word(app->settings().group, call.route.group)) items.push_back(app_resource(*app));
  }
  return page_of(call, std::move(items));
}

Answer<net::HttpReply> ArmService::list_jobs(const Call& call) const {
  json::array items;
  for (const Job& job : jobs_) {
    if (same_word(job.group, call.route.group)) items.push_back(job.resource);
  }
  return page_of(call, std::move(items));
}

// The part of a list that the request's $skipToken asks for.
Answer<net::HttpReply> ArmService::page_of(const Call& call, json::array items) const {
  std::size_t first = 0;
  const std::string token(call.request.query_or("$skiptoken", "0"));
  const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), first);
  if (failed != std::errc() || end != token.data() + token.size() || first > items.size())
    return Refusal{400, "InvalidSkipToken", "The skip token is not valid."};
  const std::size_t last = std::min(items.size(), first + page_items_max);
  json::array page;
  for (std::size_t i = first; i < last; ++i) page.push_back(std::move(items[i]));
  json::value next = nullptr;
  if (last < items.size()) {
    next = fmt::format("https://{}{}?api-version={}&%24skipToken={}", call.request.host, call.request.path,
                       call.request.query_or("api-version", ""), last)
               .c_str();
  }
  return json_reply(200, json::object{{"value", std::move(page)}, {"nextLink", std::move(next)}});
}

// One role that holds exactly what the principal may do here.
net::HttpReply ArmService::list_permissions(const Call& call, std::string_view principal) const {
  constexpr std::string_view app = "Microsoft.App/containerApps/";
  json::array actions;
  const auto add = [&](std::string_view right, std::initializer_list<std::string_view> names) {
    if (!access_.allows(principal, right, call.now)) return;
    for (const std::string_view name : names) actions.emplace_back(std::string(app) + std::string(name));
  };
  add("read", {"read", "revisions/read", "revisions/replicas/read"});
  add("write", {"write", "start/action", "stop/action", "revisions/activate/action", "revisions/deactivate/action"});
  add("restart", {"revisions/restart/action"});
  add("listSecrets", {"listSecrets/action"});
  const json::object role{
      {"actions", std::move(actions)}, {"notActions", json::array{}}, {"dataActions", json::array{}}, {"notDataActions", json::array{}}};
  return json_reply(200, json::object{{"value", json::array{role}}});
}

Answer<net::HttpReply> ArmService::perform_on_app(const Call& call, App& app) {
  const std::string& operation = call.route.operation;
  if (operation == "apps.get") return json_reply(200, app_resource(app));
  if (operation == "apps.patch") return patch(call, app);
  if (operation == "apps.list-secrets") return secret_reply(200, app.secrets().listing());
  if (operation == "apps.start" || operation == "apps.stop") {
    const auto started = app.set_running(operation == "apps.start", call.now);
    if (!started) return started.error();
    return accepted(call, app, *started);
  }
  if (operation == "revisions.list") {
    json::array items;
    for (const Revision& revision : app.revisions()) items.push_back(revision_resource(app, revision));
    return json_reply(200, json::object{{"value", std::move(items)}, {"nextLink", nullptr}});
  }
  return on_revision(call, app);
}

Answer<net::HttpReply> ArmService::on_revision(const Call& call, App& app) {
  const std::string& operation = call.route.operation;
  const Revision* revision = app.revision(call.route.revision);
  if (!revision) return not_found(call.route.revision);
  if (operation == "revisions.get") return json_reply(200, revision_resource(app, *revision));
  if (operation == "revisions.restart" || operation == "revisions.activate" || operation == "revisions.deactivate") {
    const auto done = operation == "revisions.restart" ? app.restart(revision->name, call.now)
                                                       : app.set_active(revision->name, operation == "revisions.activate", call.now);
    if (!done) return done.error();
    return empty_reply(200);
  }
  json::array items;
  for (const Replica& replica : revision->replicas) {
    if (call.route.replica.empty() || same_word(replica.name, call.route.replica))
      items.push_back(replica_resource(app, *revision, replica, call.now));
  }
  if (operation == "replicas.list") return json_reply(200, json::object{{"value", std::move(items)}});
  if (items.empty()) return not_found(call.route.replica);
  return json_reply(200, items.front());
}

Answer<net::HttpReply> ArmService::patch(const Call& call, App& app) {
  const std::string_view content_type = call.request.header_or("content-type", "");
  if (!is_json(content_type))
    return Refusal{415, "UnsupportedMediaType",
                   "The content media type '" + std::string(content_type) + "' is not supported. Only 'application/json' is supported."};
  const auto body = SecretJson::parse(call.request.body);
  if (!body) return Refusal{400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."};
  const auto started = app.patch(body->root(), call.now);
  if (!started) return started.error();
  if (app.settings().style == OperationStyle::None) return json_reply(200, app_resource(app));
  return accepted(call, app, *started);
}

net::HttpReply ArmService::accepted(const Call& call, const App& app, const std::string& operation) const {
  const AppSettings& settings = app.settings();
  const auto url = [&](std::string_view kind) {
    std::string text = fmt::format("https://{}/subscriptions/{}/providers/Microsoft.App/locations/{}/{}/{}?api-version={}",
                                   settings.operation_host.empty() ? call.request.host : settings.operation_host, settings.subscription,
                                   settings.location, kind, operation, call.request.query_or("api-version", ""));
    if (settings.operation_padding > 0) text += "&t=" + std::string(settings.operation_padding, 'a');
    return text;
  };
  net::HttpReply reply = empty_reply(202);
  const bool both = settings.style == OperationStyle::Both;
  if (both || settings.style == OperationStyle::Location || settings.style == OperationStyle::None)
    reply.headers.add("Location", url("containerappOperationResults"));
  if (both || settings.style == OperationStyle::AzureAsyncOperation)
    reply.headers.add("azure-asyncoperation", url("containerappOperationStatuses"));
  reply.headers.add("Retry-After", std::string(retry_after_s));
  return reply;
}

Answer<net::HttpReply> ArmService::follow_operation(const Call& call) const {
  const App* app = apps_.of_operation(call.route.operation_id);
  if (!app) return not_found(call.route.operation_id);
  const Operation& operation = *app->operation(call.route.operation_id);
  if (call.route.operation == "operations.result") {
    // The end of a failed write looks the same here as that of a good one: only the resource tells.
    if (operation.status != Operation::Status::InProgress) return json_reply(200, app_resource(*app));
    return accepted(call, *app, operation.id);
  }
  json::object body{{"id", call.request.path},
                    {"name", operation.id},
                    {"status", status_text(operation.status)},
                    {"startTime", format_seconds(operation.started)}};
  if (operation.status == Operation::Status::Failed)
    body["error"] = json::object{{"code", operation.error_code}, {"message", operation.error_message}};
  net::HttpReply reply = json_reply(200, std::move(body));
  if (operation.status == Operation::Status::InProgress) reply.headers.add("Retry-After", std::string(retry_after_s));
  return reply;
}

}  // namespace keyturn::sim
