#include "controller/server/http_gateway.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>
#include <vector>

#include "api/patterns.h"
#include "base/event.h"
#include "base/hash.h"
#include "controller/server/canonical.h"
#include "controller/server/dashboard.h"
#include "controller/server/messages.h"

namespace keyturn {
namespace {

constexpr std::string_view prefix = "/v1alpha1/";
constexpr std::string_view json_type = "application/json";

struct Target {
  std::string_view path;
  std::string_view query;
};

Target split_target(std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

net::HttpReply reply_of(int status, std::string_view type, std::string body) {
  net::HttpReply reply;
  reply.status = status;
  reply.headers.set("Content-Type", std::string(type));
  reply.headers.set("Cache-Control", "no-store");
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.body = std::move(body);
  return reply;
}

std::string error_text(const Canonical& canonical, std::string_view message) {
  return boost::json::serialize(boost::json::object{{"code", canonical.name}, {"message", message}}) + "\n";
}

net::HttpReply error_reply(const Error& error) {
  const Canonical canonical = canonical_of(error.code);
  net::HttpReply reply = reply_of(canonical.http_status, json_type, error_text(canonical, error.message));
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    reply.headers.set("Retry-After", std::to_string(seconds.count()));
  }
  return reply;
}

net::HttpReply unauthenticated_reply() {
  net::HttpReply reply = reply_of(unauthenticated.http_status, json_type, error_text(unauthenticated, "a valid bearer token is needed"));
  reply.headers.set("WWW-Authenticate", "Bearer");
  return reply;
}

net::HttpReply method_reply() {
  net::HttpReply reply = reply_of(405, json_type, error_text({12, "UNIMPLEMENTED", 405}, "this API only reads: use GET"));
  reply.headers.set("Allow", "GET");
  return reply;
}

net::HttpReply page_reply() {
  net::HttpReply reply = reply_of(200, "text/html; charset=utf-8", std::string(dashboard_html()));
  reply.headers.set("Content-Security-Policy", std::string(dashboard_security_policy()));
  reply.headers.set("Referrer-Policy", "no-referrer");
  return reply;
}

}  // namespace

struct HttpGateway::Route {
  enum class What : std::uint8_t { List, Watch, Get, History, Plan, Verify, Metrics, Page };
  static std::optional<What> part_of(std::string_view name);

  What what = What::List;
  ObjectKey key;
  int limit = 0;
  std::string revision;  // Plan: what if the spec named it
  std::string anchor;    // Verify: the hash of a record that was kept elsewhere
};

HttpGateway::HttpGateway(boost::asio::any_io_executor executor, Clock& clock, RotationQueries& queries, const TokenCheck& tokens,
                         MetricsText metrics, HttpGatewayOptions options)
    : executor_(std::move(executor)), clock_(clock), queries_(queries), tokens_(tokens), metrics_(std::move(metrics)), options_(options) {}

bool HttpGateway::serves(std::string_view target) {
  const std::string_view path = split_target(target).path;
  return path.starts_with(prefix) || path == "/metrics" || path == "/";
}

net::HttpHandler HttpGateway::handler() {
  return [this](net::HttpRequest request, net::Peer peer, net::ReplyWriter& writer) {
    return handle(std::move(request), std::move(peer), writer);
  };
}

namespace {

// One decoded name of a path. Empty when it is not one.
std::optional<std::string> segment(std::string_view text) {
  std::optional<std::string> name = percent_decode(text);
  if (!name || name->empty() || name->find('\0') != std::string::npos) return std::nullopt;
  return name;
}

Error no_such_path() { return {Errc::NotFound, "there is no such path"}; }

}  // namespace

// What is asked of one rotation beyond itself.
std::optional<HttpGateway::Route::What> HttpGateway::Route::part_of(std::string_view name) {
  if (name == "history") return What::History;
  if (name == "plan") return What::Plan;
  if (name == "verify") return What::Verify;
  return std::nullopt;
}

// Path first, then the query; what is not known is refused rather than ignored, so that a misspelt parameter does not widen an answer.
Result<HttpGateway::Route> HttpGateway::route_of(std::string_view target) {
  using What = Route::What;
  const Target parts = split_target(target);
  Route route;
  bool namespaced = false;
  if (parts.path == "/" || parts.path == "/metrics") {
    route.what = parts.path == "/" ? What::Page : What::Metrics;
    return route;
  }
  if (!parts.path.starts_with(prefix)) return no_such_path();
  std::vector<std::string_view> names = split(parts.path.substr(prefix.size()), '/');
  if (names.size() >= 2 && names[0] == "namespaces") {
    const std::optional<std::string> ns = segment(names[1]);
    if (!ns) return no_such_path();
    route.key.ns = *ns;
    namespaced = true;
    names.erase(names.begin(), names.begin() + 2);
  }
  if (names.size() == 1 && (names[0] == "rotations" || names[0] == "rotations:watch")) {
    route.what = names[0] == "rotations" ? What::List : What::Watch;
  } else if (namespaced && names.size() >= 2 && names.size() <= 3 && names[0] == "rotations") {
    const std::optional<std::string> name = segment(names[1]);
    if (!name) return no_such_path();
    route.key.name = *name;
    route.what = What::Get;
    if (names.size() == 3) {
      const std::optional<What> part = Route::part_of(names[2]);
      if (!part) return no_such_path();
      route.what = *part;
    }
  } else {
    return no_such_path();
  }
  for (const std::string_view item : split(parts.query, '&')) {
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const std::optional<std::string> value = percent_decode(equals == std::string_view::npos ? "" : item.substr(equals + 1));
    if (!value) return Error{Errc::Invalid, "a query parameter is not properly encoded"};
    if (name == "namespace" && !namespaced) {
      route.key.ns = *value;
    } else if (name == "revision" && route.what == What::Plan) {
      route.revision = *value;
    } else if (name == "anchor" && route.what == What::Verify) {
      if (!value->empty() && !api::pattern::matches(api::pattern::sha256, *value))
        return Error{Errc::Invalid, "anchor must be sha256: and 64 hexadecimal digits"};
      route.anchor = *value;
    } else if (name == "limit" && route.what == What::History) {
      const char* end = value->data() + value->size();
      const auto parsed = std::from_chars(value->data(), end, route.limit);
      if (parsed.ec != std::errc{} || parsed.ptr != end || route.limit < 0) return Error{Errc::Invalid, "limit must be a whole number"};
    } else {
      return Error{Errc::Invalid, "there is no such query parameter"};
    }
  }
  return route;
}

std::optional<std::string> HttpGateway::user_of(const net::HttpRequest& request) const {
  if (request.bearer) return request.bearer->expose([this](std::string_view token) { return tokens_.user_of(token); });
  const std::optional<std::string_view> authorization = request.headers.find("Authorization");
  const std::string_view token = authorization ? bearer_of(*authorization) : std::string_view{};
  if (token.empty()) return std::nullopt;
  return tokens_.user_of(token);
}

// Lists and watches without a namespace are open to everybody who is known: each sees what he may. The numbers of all namespaces
// together are for those who may see all of them.
bool HttpGateway::may_read(const Route& route, const std::string& user) const {
  if (route.what == Route::What::Metrics) return tokens_.may_read(user, "");
  return route.key.ns.empty() || tokens_.may_read(user, route.key.ns);
}

Awaitable<> HttpGateway::handle(net::HttpRequest request, net::Peer, net::ReplyWriter& writer) {
  if (request.method != "GET") {
    co_await writer.send(method_reply());
    co_return;
  }
  const Result<Route> route = route_of(request.target);
  if (route && route->what == Route::What::Page) {
    co_await writer.send(page_reply());
    co_return;
  }
  // Asked before the path is judged: a caller who is not known learns nothing of it.
  const std::optional<std::string> user = user_of(request);
  if (!user) {
    co_await writer.send(unauthenticated_reply());
    co_return;
  }
  if (!route) {
    co_await writer.send(error_reply(route.error()));
    co_return;
  }
  if (!may_read(*route, *user)) {
    co_await writer.send(error_reply({Errc::Denied, "not allowed to read this"}));
    co_return;
  }
  if (route->what == Route::What::Watch) {
    co_await watch(route->key.ns, *user, writer);
    co_return;
  }
  Result<std::string> text = co_await answer(*route, *user);
  if (!text) {
    co_await writer.send(error_reply(text.error()));
    co_return;
  }
  const std::string_view type = route->what == Route::What::Metrics ? "text/plain; version=0.0.4; charset=utf-8" : json_type;
  co_await writer.send(reply_of(200, type, std::move(*text)));
}

Task<std::string> HttpGateway::answer(Route route, std::string user) {
  using What = Route::What;
  const Context context = Context(clock_, "http-api").with_timeout(options_.request_timeout);
  switch (route.what) {
    case What::List: {
      Result<std::string> text = co_await list(context, route.key.ns, std::move(user));
      co_return text;
    }
    case What::Get: {
      const Result<RotationView> rotation = co_await queries_.get(context, route.key);
      if (!rotation) co_return rotation.error();
      co_return to_json(message_of(*rotation));
    }
    case What::History: {
      Result<std::string> text = co_await history(context, route.key, route.limit);
      co_return text;
    }
    case What::Plan: {
      const Result<PlanView> plan = co_await queries_.plan(context, route.key, route.revision);
      if (!plan) co_return plan.error();
      co_return to_json(message_of(*plan));
    }
    case What::Verify: {
      const Result<VerificationView> verification = co_await queries_.verify(context, route.key, route.anchor);
      if (!verification) co_return verification.error();
      co_return to_json(message_of(*verification));
    }
    case What::Metrics: {
      Result<std::string> text = co_await metrics_(context);
      co_return text;
    }
    case What::Watch:
    case What::Page:
      break;
  }
  co_return Error{Errc::Internal, "this route has no single answer"};
}

Task<std::string> HttpGateway::list(Context context, std::string ns, std::string user) {
  const Result<RotationList> list = co_await queries_.list(context, std::move(ns));
  if (!list) co_return list.error();
  co_return to_json(message_of(*list, readable_by(tokens_, user)));
}

Task<std::string> HttpGateway::history(Context context, ObjectKey key, int limit) {
  const Result<std::vector<RunView>> runs = co_await queries_.history(context, std::move(key), limit);
  if (!runs) co_return runs.error();
  co_return to_json(message_of(*runs));
}

namespace {

// Counts a watch for as long as it lives, however its coroutine ends.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

Awaitable<> HttpGateway::watch(std::string ns, std::string user, net::ReplyWriter& writer) {
  if (watches_ >= options_.watches_max) {
    co_await writer.send(error_reply({Errc::Throttled, "too many watches", Duration(1'000)}));
    co_return;
  }
  const Counted counted(watches_);
  const Context context = Context(clock_, "http-api watch").with_timeout(options_.request_timeout);
  const Result<std::unique_ptr<RotationFeed>> feed = co_await queries_.subscribe(context, std::move(ns));
  if (!feed) {
    co_await writer.send(error_reply(feed.error()));
    co_return;
  }
  net::HttpReply head = reply_of(200, json_type, {});
  const bool begun = co_await writer.begin(head.status, std::move(head.headers));
  if (begun) co_await pump(**feed, std::move(user), writer);
}

// Until the reader or the feed ends. The end of the stream is clean: a reader starts over, as with any watch.
Awaitable<> HttpGateway::pump(RotationFeed& feed, std::string user, net::ReplyWriter& writer) {
  BootInstant silent_since = clock_.boot_now();
  while (true) {
    const bool written = co_await drain(feed, user, writer);
    if (!written || feed.ended() || writer.peer_gone()) co_return;
    Event changed(executor_);
    feed.on_ready([&changed] { changed.set(); });
    const bool woken = co_await changed.wait(clock_, options_.watch_poll);
    feed.on_ready(nullptr);
    if (woken) silent_since = clock_.boot_now();
    if (clock_.boot_now() - silent_since < options_.watch_heartbeat) continue;
    silent_since = clock_.boot_now();
    const bool alive = co_await writer.write("\n");
    if (!alive) co_return;
  }
}

// Writes what waits. False when the reader is gone.
Awaitable<bool> HttpGateway::drain(RotationFeed& feed, std::string user, net::ReplyWriter& writer) {
  while (std::optional<RotationEventView> event = feed.next()) {
    if (!tokens_.may_read(user, event->rotation.key.ns)) continue;
    const std::string line = to_json(message_of(*event)) + "\n";
    const bool written = co_await writer.write(line);
    if (!written) co_return false;
  }
  co_return true;
}

}  // namespace keyturn
