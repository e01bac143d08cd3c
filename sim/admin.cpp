#include "sim/admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "base/secret_memory.h"
#include "sim/members.h"
#include "sim/reply.h"
#include "sim/seed.h"
#include "sim/state_view.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

constexpr std::int64_t replicas_max = 100;

Refusal no_route() { return {404, "NotFound", "the admin API has nothing there"}; }

net::HttpReply done_reply() { return json_reply(200, json::object{{"status", "Done"}}); }

Answer<SecretJson> read_body(const Request& request) {
  auto body = SecretJson::parse(request.body);
  if (!body) return Refusal{400, "BadRequest", "the body is not valid JSON"};
  return std::move(*body);
}

Answer<HealthRule> read_health_rule(const json::value& value) {
  Members members(value, "");
  HealthRule rule;
  rule.kind = static_cast<HealthRule::Kind>(members.choice("rule", {"always", "unlessValue", "afterRestart"}));
  rule.affects = static_cast<HealthRule::Affects>(2 - members.choice("affects", {"Both", "Readiness", "Endpoint"}));
  rule.secret = members.text("secret");
  if (!members.has("rule")) members.problem("rule", "is missing");
  if ((rule.kind == HealthRule::Kind::UnlessValue) != members.has("secret")) members.problem("secret", "goes with unlessValue");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  return rule;
}

Answer<std::map<std::string, std::string>> read_states(const json::value& value) {
  std::map<std::string, std::string> states;
  if (!value.is_object()) return Refusal{400, "BadRequest", "the states must be an object"};
  for (const auto& [field, text] : value.get_object()) {
    if (!text.is_string()) return Refusal{400, "BadRequest", "a state must be a string"};
    states.emplace(std::string(field), std::string(text.get_string()));
  }
  return states;
}

}  // namespace

net::HttpReply Admin::handle(const Request& request) {
  const Instant now = cloud_.settle();
  auto answer = perform(request, now);
  return answer ? std::move(*answer) : arm_refusal(answer.error());
}

Answer<net::HttpReply> Admin::perform(const Request& request, Instant now) {
  const auto& path = request.segments;
  if (request.method == "GET" && request.path == "/metadata/identity/oauth2/token")
    return cloud_.token_service.instance_metadata(request, now);
  if (request.method == "GET" && request.path == "/msi/token") return cloud_.token_service.platform_identity(request, now);
  if (request.method == "GET" && path.size() == 3 && path[0] == "apps" && path[2] == "health") return cloud_.health(path[1], now);
  if (path.size() < 2 || path[0] != "admin") return no_route();
  return request.method == "GET" ? read(request, now) : change(request, now);
}

Answer<net::HttpReply> Admin::read(const Request& request, Instant now) {
  const auto& path = request.segments;
  if (path.size() != 2) return no_route();
  if (path[1] == "health") return json_reply(200, json::object{{"status", "Healthy"}});
  if (path[1] == "state") return json_reply(200, state_of(cloud_, now));
  if (path[1] == "log") return log(request);
  if (path[1] != "faults") return no_route();
  json::array faults;
  for (const Fault& fault : cloud_.faults.all()) faults.push_back(shown(fault));
  return json_reply(200, json::object{{"faults", std::move(faults)}});
}

Answer<net::HttpReply> Admin::log(const Request& request) const {
  const std::string_view after_text = request.query_or("after", "0");
  std::uint64_t after = 0;
  const auto [end, failed] = std::from_chars(after_text.data(), after_text.data() + after_text.size(), after);
  if (failed != std::errc{} || end != after_text.data() + after_text.size()) return Refusal{400, "BadRequest", "after must be a number"};
  const bool readable = request.header_or("accept", "").starts_with("text/plain");
  json::array entries;
  std::string text;
  for (const JournalEntry& entry : cloud_.journal.entries()) {
    if (entry.sequence <= after) continue;
    if (readable) {
      text += line_of(entry) + "\n";
    } else {
      entries.push_back(shown(entry));
    }
  }
  if (!readable) return json_reply(200, json::object{{"entries", std::move(entries)}});
  net::HttpReply reply;
  reply.status = 200;
  reply.headers.add("Content-Type", "text/plain; charset=utf-8");
  reply.body = std::move(text);
  return reply;
}

Answer<net::HttpReply> Admin::change(const Request& request, Instant now) {
  const auto& path = request.segments;
  const bool post = request.method == "POST";
  if (request.method == "DELETE" && path[1] == "faults" && path.size() <= 3) return remove_fault(path.size() == 3 ? path[2] : "");
  if (path.size() == 4 && path[1] == "apps") {
    App* app = cloud_.apps.find(path[2]);
    if (!app) return Refusal{404, "NotFound", "there is no app of this name"};
    return change_app(request, *app, now);
  }
  if (post && path.size() == 4 && path[1] == "principals" && path[3] == "revoke") {
    cloud_.tokens.revoke(lower(path[2]), now);
    return done_reply();
  }
  if (!post || path.size() != 2) return no_route();
  if (path[1] == "seed") return seed(request, now);
  if (path[1] == "advance") return advance(request);
  const auto body = read_body(request);
  if (!body) return body.error();
  if (path[1] == "faults") {
    auto fault = read_fault(body->root(), now);
    if (!fault) return fault.error();
    return json_reply(201, json::object{{"id", cloud_.faults.add(std::move(*fault))}});
  }
  if (path[1] != "grants") return no_route();
  if (const auto granted = apply_grant(cloud_, body->root(), "", now); !granted) return granted.error();
  return done_reply();
}

Answer<net::HttpReply> Admin::remove_fault(const std::string& id) {
  if (id.empty()) {
    cloud_.faults.clear();
  } else if (!cloud_.faults.remove(id)) {
    return Refusal{404, "NotFound", "there is no fault of this id"};
  }
  return done_reply();
}

Answer<net::HttpReply> Admin::seed(const Request& request, Instant now) {
  const auto body = read_body(request);
  if (!body) return body.error();
  if (const auto seeded = apply_seed(cloud_, *body, now); !seeded) return seeded.error();
  return done_reply();
}

Answer<net::HttpReply> Admin::advance(const Request& request) {
  const auto body = read_body(request);
  if (!body) return body.error();
  Members members(body->root(), "");
  const auto seconds = members.number("seconds", 0, 0, std::chrono::seconds(advance_max).count());
  if (!members.has("seconds")) members.problem("seconds", "is missing");
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  cloud_.clock.advance(std::chrono::seconds(seconds));
  return json_reply(200, json::object{{"now", format_micros(cloud_.settle())}});
}

Answer<net::HttpReply> Admin::change_app(const Request& request, App& app, Instant now) {
  const std::string& what = request.segments[3];
  if (request.method == "DELETE" && what == "health") {
    app.clear_health_rules(now);
    return done_reply();
  }
  if (request.method != "POST") return no_route();
  if (what == "sync") {
    app.sync_periodically(now);
    return done_reply();
  }
  const auto body = read_body(request);
  if (!body) return body.error();
  if (what == "scale") {
    Members members(body->root(), "");
    const auto replicas = members.number("replicas", 0, 0, replicas_max);
    if (!members.has("replicas")) members.problem("replicas", "is missing");
    if (const auto verdict = members.done(); !verdict) return verdict.error();
    app.scale(static_cast<int>(replicas), now);
    return done_reply();
  }
  if (what == "health") {
    const auto rule = read_health_rule(body->root());
    if (!rule) return rule.error();
    if (const auto added = app.add_health_rule(*rule, now); !added) return added.error();
    return done_reply();
  }
  if (what != "states") return no_route();
  auto states = read_states(body->root());
  if (!states) return states.error();
  app.override_states(std::move(*states));
  return done_reply();
}

}  // namespace keyturn::sim
