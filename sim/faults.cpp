#include "sim/faults.h"

#include <algorithm>
#include <array>

#include "sim/members.h"
#include "sim/reply.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

constexpr std::array<std::pair<std::string_view, FaultAction>, 8> actions{{{"status", FaultAction::Status},
                                                                           {"drop-before", FaultAction::DropBefore},
                                                                           {"drop-after-effect", FaultAction::DropAfterEffect},
                                                                           {"status-after-effect", FaultAction::StatusAfterEffect},
                                                                           {"apply-late", FaultAction::ApplyLate},
                                                                           {"delay", FaultAction::Delay},
                                                                           {"read-only", FaultAction::ReadOnly},
                                                                           {"ignore", FaultAction::Ignore}}};

constexpr std::int64_t wait_ms_max = 24 * 3600 * 1000;
constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t read_only_s_max = 7 * 24 * 3600;

constexpr std::array<std::string_view, 5> vault_writes{"vault.set", "vault.patch", "vault.delete", "vault.recover", "vault.purge"};
constexpr std::array<std::string_view, 3> ignorable{"revisions.restart", "revisions.activate", "revisions.deactivate"};

// Some actions make sense only for some operations: elsewhere the fault does not act, and does not count.
bool acts_on(FaultAction action, const Route& route) {
  if (action == FaultAction::ReadOnly) return std::ranges::find(vault_writes, route.operation) != vault_writes.end();
  if (action == FaultAction::Ignore) return std::ranges::find(ignorable, route.operation) != ignorable.end();
  return true;
}

bool word_matches(std::string_view wanted, std::string_view actual) { return wanted.empty() || same_word(wanted, actual); }

Fault::Match read_match(const json::value& value, Answer<>& verdict) {
  Members members(value, "match");
  Fault::Match match;
  match.service = static_cast<Service>(members.choice("service", {"", "entra", "vault", "arm", "health"}));
  match.operation = members.text("operation");
  match.vault = members.text("vault");
  match.secret = members.text("secret");
  match.app = members.text("app");
  verdict = members.done();
  return match;
}

net::Headers read_headers(Members& members) {
  net::Headers headers;
  const json::value* given = members.any("headers");
  if (!given) return headers;
  if (!given->is_object()) {
    members.problem("headers", "must be an object");
    return headers;
  }
  for (const auto& [name, value] : given->get_object()) {
    if (value.is_string()) {
      headers.add(std::string(name), std::string(value.get_string()));
    } else {
      members.problem("headers", "must have strings as values");
    }
  }
  if (!headers.well_formed()) members.problem("headers", "are not well formed");
  return headers;
}

FaultAction read_action(Members& members) {
  const std::string name = members.required_text("action");
  const auto found = std::ranges::find(actions, name, &std::pair<std::string_view, FaultAction>::first);
  if (found != actions.end()) return found->second;
  members.problem("action", "is not known");
  return FaultAction::Status;
}

}  // namespace

std::string_view name_of(FaultAction action) noexcept {
  const auto found = std::ranges::find(actions, action, &std::pair<std::string_view, FaultAction>::second);
  return found == actions.end() ? "status" : found->first;
}

bool Fault::Match::operator()(const Route& route) const {
  return (service == Service::None || service == route.service) && word_matches(operation, route.operation) &&
         word_matches(vault, route.vault) && word_matches(secret, route.secret) && word_matches(app, route.app);
}

net::HttpReply Fault::reply(Service service) const {
  net::HttpReply reply;
  if (body) {
    reply.status = status;
    reply.headers.add("Content-Type", "text/plain");
    reply.body = *body;
  } else {
    const Refusal refusal{status, code.empty() ? "ServiceUnavailable" : code, message.empty() ? "The service is unavailable." : message,
                          inner_code};
    reply = service == Service::Vault ? vault_refusal(refusal) : arm_refusal(refusal);
    if (service == Service::Entra)
      reply = json_reply(status, json::object{{"error", refusal.code}, {"error_description", refusal.message}});
  }
  for (const auto& [name, value] : headers.fields()) reply.headers.set(name, value);
  return reply;
}

std::string Faults::add(Fault fault) {
  fault.id = "f" + std::to_string(++sequence_);
  faults_.push_back(std::move(fault));
  return faults_.back().id;
}

bool Faults::remove(std::string_view id) {
  return std::erase_if(faults_, [&](const Fault& fault) { return fault.id == id; }) > 0;
}

Faults::Met Faults::meet(const Route& route, Instant now) {
  Met met;
  std::erase_if(faults_, [&](const Fault& fault) { return fault.until && *fault.until <= now; });
  for (auto it = faults_.begin(); it != faults_.end();) {
    Fault& fault = *it;
    const bool is_delay = fault.action == FaultAction::Delay;
    if (!fault.match(route) || !acts_on(fault.action, route) || (!is_delay && met.fault)) {
      ++it;
      continue;
    }
    if (fault.skip > 0) {
      --fault.skip;
      ++it;
      continue;
    }
    if (is_delay) {
      met.delay += fault.delay;
    } else {
      met.fault = fault;
    }
    it = fault.count > 0 && --fault.count == 0 ? faults_.erase(it) : std::next(it);
  }
  return met;
}

Answer<Fault> read_fault(const json::value& value, Instant now) {
  Members members(value, "");
  Fault fault;
  Answer<> match_verdict;
  if (const json::value* match = members.any("match")) fault.match = read_match(*match, match_verdict);
  if (!match_verdict) return match_verdict.error();
  fault.action = read_action(members);
  const bool lasts = fault.action == FaultAction::ReadOnly;
  fault.count = members.number("count", lasts ? 0 : 1, 0, count_max);
  fault.skip = members.number("skip", 0, 0, count_max);
  fault.status = static_cast<int>(members.number("status", 503, 200, 599));
  fault.code = members.text("code");
  fault.message = members.text("message");
  fault.inner_code = members.text("innerCode");
  if (members.has("body")) fault.body = members.text("body");
  fault.headers = read_headers(members);
  fault.delay = Duration(members.number("delayMs", 0, 0, wait_ms_max));
  fault.after = Duration(members.number("afterMs", 0, 0, wait_ms_max));
  fault.hold = Duration(members.number("holdMs", 0, 0, wait_ms_max));
  if (const auto seconds = members.optional_number("seconds", 1, read_only_s_max)) fault.until = now + std::chrono::seconds(*seconds);
  if (const auto verdict = members.done(); !verdict) return verdict.error();
  return fault;
}

json::object shown(const Fault& fault) {
  json::object match;
  if (fault.match.service != Service::None) match["service"] = name_of(fault.match.service);
  if (!fault.match.operation.empty()) match["operation"] = fault.match.operation;
  if (!fault.match.vault.empty()) match["vault"] = fault.match.vault;
  if (!fault.match.secret.empty()) match["secret"] = fault.match.secret;
  if (!fault.match.app.empty()) match["app"] = fault.match.app;
  json::object out{
      {"id", fault.id}, {"action", name_of(fault.action)}, {"match", std::move(match)}, {"count", fault.count}, {"skip", fault.skip}};
  if (fault.until) out["until"] = format_seconds(*fault.until);
  return out;
}

}  // namespace keyturn::sim
