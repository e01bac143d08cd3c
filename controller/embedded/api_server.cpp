#include "controller/embedded/api_server.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <optional>

#include "base/hash.h"
#include "base/log.h"
#include "controller/embedded/definitions.h"
#include "controller/embedded/discovery.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/namespaces.h"
#include "controller/embedded/negotiation.h"
#include "controller/embedded/open_api_v2.h"
#include "controller/embedded/open_api_v3.h"
#include "controller/embedded/request_body.h"
#include "controller/embedded/resource_endpoints.h"
#include "controller/embedded/reviews.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

bool is_health_path(std::string_view path) {
  for (const std::string_view probe : {"/healthz", "/livez", "/readyz"})
    if (path == probe || (path.starts_with(probe) && path[probe.size()] == '/')) return true;
  return false;
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

bool is_at_or_below(std::string_view path, std::string_view mount) {
  if (!path.starts_with(mount)) return false;
  return mount.ends_with('/') || path.size() == mount.size() || path[mount.size()] == '/';
}

bool is_review_group(std::string_view group) { return group == "authorization.k8s.io" || group == "authentication.k8s.io"; }

json::object version_object() {
  return {{"major", "1"},
          {"minor", "36"},
          {"gitVersion", "v1.36.0+keyturn.1"},
          {"gitCommit", "0000000000000000000000000000000000000000"},
          {"gitTreeState", "clean"},
          {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", "none"},
          {"compiler", "clang"},
          {"platform", "linux/amd64"}};
}

// Discovery and OpenAPI change only with the program: clients revalidate by the hash of what they hold.
net::HttpReply revalidated(net::HttpReply reply, const net::Headers& request) {
  const std::string tag = fmt::format("\"{}\"", to_hex(sha256(reply.body)));
  reply.headers.set("ETag", tag);
  reply.headers.set("Vary", "Accept");
  reply.headers.set("Cache-Control", "public");
  if (request.find("If-None-Match") != std::optional<std::string_view>(tag)) return reply;
  reply.status = 304;
  reply.body.clear();
  return reply;
}

std::string where_of(std::string_view ns) { return ns.empty() ? " at the cluster scope" : fmt::format(" in the namespace \"{}\"", ns); }

Failure forbidden_resource(const User& user, const std::string& verb, const Route& route, const std::string& resource) {
  const std::string qualified = route.group.empty() ? route.plural : route.plural + "." + route.group;
  const std::string named = route.name.empty() ? qualified : fmt::format("{} \"{}\"", qualified, route.name);
  json::object details{{"group", route.group}, {"kind", route.plural}};
  if (!route.name.empty()) details["name"] = route.name;
  return forbidden_message(fmt::format("{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{}", named, user.name,
                                       verb, resource, route.group, where_of(route.ns)),
                           std::move(details));
}

std::string path_verb(const std::string& method) {
  std::string verb = method;
  for (char& c : verb) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return verb;
}

bool is_write(std::string_view verb) { return verb != "get" && verb != "list" && verb != "watch"; }

}  // namespace

struct ApiServer::Impl {
  Impl(boost::asio::any_io_executor where, Clock& time, Random& chance, Store& objects, const Access& rights, ApiServerOptions given,
       std::shared_ptr<boost::asio::ssl::context> tls)
      : clock(time),
        random(chance),
        store(objects),
        access(rights),
        options(std::move(given)),
        pipeline(time, chance, objects, options.admission),
        endpoints(where, time, chance, objects, pipeline),
        writer(pipeline, objects),
        server(where, time, options.http, std::move(tls), [this](net::HttpRequest request, net::Peer peer, net::ReplyWriter& out) {
          return serve(std::move(request), std::move(peer), &out);
        }) {}

  Awaitable<> serve(net::HttpRequest request, net::Peer peer, net::ReplyWriter* out);
  const net::HttpHandler* mounted_for(const net::HttpRequest& request) const;
  Awaitable<> serve_own(net::HttpRequest request, net::Peer peer, net::ReplyWriter* out);
  Awaitable<Answer<std::optional<net::HttpReply>>> answer(Context context, net::HttpRequest request, Route route, User user,
                                                          net::ReplyWriter* out);
  Awaitable<Answer<std::optional<net::HttpReply>>> answer_resource(Context context, net::HttpRequest request, Route route, User user,
                                                                   net::ReplyWriter* out);
  Answer<net::HttpReply> answer_path(const net::HttpRequest& request, const Route& route);
  Answer<net::HttpReply> answer_discovery(const net::HttpRequest& request, const Route& route);
  Answer<net::HttpReply> answer_open_api(const net::HttpRequest& request, const Route& route);
  Answer<net::HttpReply> answer_review(const net::HttpRequest& request, const Route& route, const User& user);
  net::HttpReply answer_health(const Route& route);
  void audit(const net::HttpRequest& request, const Route& route, const User& user, int code);
  Task<> ensure_object(Context context, const ResourceType* type, json::object object);

  Clock& clock;
  Random& random;
  Store& store;
  const Access& access;
  ApiServerOptions options;
  WritePipeline pipeline;
  ResourceEndpoints endpoints;
  ObjectWriter writer;
  std::size_t in_flight = 0;
  bool stopping = false;
  net::HttpServer server;
};

// --- health, version, discovery, OpenAPI ---

// The checks of one probe, in kube-apiserver's words: a list with marks for readers who ask for it, or when one has failed.
net::HttpReply ApiServer::Impl::answer_health(const Route& route) {
  const std::string probe = route.path.substr(1, route.path.find('/', 1) - 1);
  bool good = true;
  std::string checks = "[+]ping ok\n";
  const auto check = [&](std::string_view name, bool passed, std::string_view why) {
    checks += passed ? fmt::format("[+]{} ok\n", name) : fmt::format("[-]{} failed: {}\n", name, why);
    good = good && passed;
  };
  check("store", !options.live || options.live(), "it takes no writes until a restart");
  if (probe == "readyz") {
    check("startup", !options.ready || options.ready(), "not ready");
    check("shutdown", !stopping, "stopping");
  }
  if (route.query.has("verbose") || !good)
    return text_reply(good ? 200 : 500, fmt::format("{}{} check {}\n", checks, probe, good ? "passed" : "failed"));
  return text_reply(200, "ok");
}

Answer<net::HttpReply> ApiServer::Impl::answer_discovery(const net::HttpRequest& request, const Route& route) {
  const bool core = route.path == "/api";
  if (core || route.path == "/apis") {
    if (accepts_aggregated_discovery(request.headers.find("Accept"))) {
      net::HttpReply reply = json_reply(200, aggregated_discovery(core));
      reply.headers.set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
      return revalidated(std::move(reply), request.headers);
    }
    const std::string host(request.headers.find("Host").value_or("localhost"));
    return revalidated(json_reply(200, core ? api_versions(host) : api_group_list()), request.headers);
  }
  std::optional<json::object> found;
  if (!route.version.empty())
    found = api_resource_list(route.group, route.version);
  else if (route.path.starts_with("/apis/"))
    found = api_group(route.path.substr(6));
  if (!found) return page_not_found();
  return json_reply(200, *found);
}

Answer<net::HttpReply> ApiServer::Impl::answer_open_api(const net::HttpRequest& request, const Route& route) {
  if (route.path == "/openapi/v2") {
    net::HttpReply reply = json_reply(200, json::object{});
    if (accepts_openapi_protobuf(request.headers.find("Accept"))) {
      reply.headers.set("Content-Type", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
      reply.body = open_api_v2_protobuf();
    } else {
      reply.body = json::serialize(open_api_v2());
    }
    return revalidated(std::move(reply), request.headers);
  }
  if (route.path == "/openapi/v3") return revalidated(json_reply(200, open_api_v3_index()), request.headers);
  constexpr std::string_view prefix = "/openapi/v3/";
  const OpenApiDocument* document = route.path.starts_with(prefix) ? open_api_v3(route.path.substr(prefix.size())) : nullptr;
  if (!document) return page_not_found();
  net::HttpReply reply = json_reply(200, json::object{});
  reply.body = document->text;
  const std::string asked = route.query.get("hash");
  if (asked.empty()) return revalidated(std::move(reply), request.headers);
  reply.headers.set("ETag", fmt::format("\"{}\"", document->hash));
  reply.headers.set("Vary", "Accept");
  if (asked == document->hash) {
    reply.headers.set("Cache-Control", "public, immutable");
    return reply;
  }
  reply.status = 301;
  reply.headers.set("Location", fmt::format("{}?hash={}", route.path, document->hash));
  reply.body.clear();
  return reply;
}

Answer<net::HttpReply> ApiServer::Impl::answer_path(const net::HttpRequest& request, const Route& route) {
  if (request.method != "GET" && request.method != "HEAD") {
    Failure failure;
    failure.code = 405;
    failure.reason = "MethodNotAllowed";
    failure.message = "the server does not allow this method on the requested resource";
    return failure;
  }
  if (is_health_path(route.path)) return answer_health(route);
  if (route.path == "/version") return json_reply(200, version_object());
  if (route.path.starts_with("/openapi/")) return answer_open_api(request, route);
  if (route.path == "/api" || route.path == "/apis" || route.path.starts_with("/api/") || route.path.starts_with("/apis/"))
    return answer_discovery(request, route);
  if (route.path == "/") {
    json::array paths{"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"};
    for (const GroupVersion& gv : group_versions()) paths.push_back(json::string("/" + gv.path()));
    return json_reply(200, json::object{{"paths", std::move(paths)}});
  }
  return page_not_found();
}

// --- resources ---

Answer<net::HttpReply> ApiServer::Impl::answer_review(const net::HttpRequest& request, const Route& route, const User& user) {
  const std::vector<GroupVersion> known = group_versions();
  if (std::find(known.begin(), known.end(), GroupVersion{route.group, route.version}) == known.end()) return page_not_found();
  if (request.method != "POST" || !route.name.empty()) return page_not_found();
  const Answer<RequestBody> body =
      read_object_body(request.headers.find("Content-Type").value_or(""), request.body, "SelfSubjectAccessReview");
  if (!body) return body.error();
  const Answer<json::object> reply = review(access, user, route.group, route.plural, body->object);
  if (!reply) return reply.error();
  return json_reply(201, *reply);
}

Awaitable<Answer<std::optional<net::HttpReply>>> ApiServer::Impl::answer_resource(Context context, net::HttpRequest request, Route route,
                                                                                  User user, net::ReplyWriter* out) {
  const std::string verb = verb_of(request.method, route);
  const std::string resource = route.subresource.empty() ? route.plural : route.plural + "/" + route.subresource;
  const ResourceType* type = find_type(route.group, route.version, route.plural);
  if (type) {
    if (const Answer<> sensible = check_call(*type, route, request.method, verb); !sensible) co_return sensible.error();
  }
  if (!access.allowed(user, verb, route.group, resource, route.ns, route.name)) co_return forbidden_resource(user, verb, route, resource);
  if (is_review_group(route.group)) {
    Answer<net::HttpReply> reviewed = answer_review(request, route, user);
    if (!reviewed) co_return reviewed.error();
    co_return std::optional(std::move(*reviewed));
  }
  if (!type) co_return page_not_found();
  ResourceCall call{verb, std::move(route), type, std::move(request.headers), std::move(request.body), std::move(user)};
  if (verb == "watch") {
    const Answer<> watched = co_await endpoints.watch(context, std::move(call), out);
    if (!watched) co_return watched.error();
    co_return std::optional<net::HttpReply>{};
  }
  if (in_flight >= options.requests_max) co_return too_many_requests();
  ++in_flight;
  Answer<net::HttpReply> reply = internal_error();
  std::exception_ptr thrown;
  try {
    reply = co_await endpoints.serve(context, std::move(call));
  } catch (...) {
    thrown = std::current_exception();
  }
  --in_flight;
  if (thrown) std::rethrow_exception(thrown);
  if (!reply) co_return reply.error();
  co_return std::optional(std::move(*reply));
}

Awaitable<Answer<std::optional<net::HttpReply>>> ApiServer::Impl::answer(Context context, net::HttpRequest request, Route route, User user,
                                                                         net::ReplyWriter* out) {
  if (route.resource) {
    Answer<std::optional<net::HttpReply>> reply =
        co_await answer_resource(context, std::move(request), std::move(route), std::move(user), out);
    co_return reply;
  }
  if (!access.allowed_path(user, route.path))
    co_return forbidden_message(
        fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"", user.name, path_verb(request.method), route.path));
  Answer<net::HttpReply> reply = answer_path(request, route);
  if (!reply) co_return reply.error();
  co_return std::optional(std::move(*reply));
}

// One line for every write: who did what to what, and how it ended. kubectl says which command it ran.
void ApiServer::Impl::audit(const net::HttpRequest& request, const Route& route, const User& user, int code) {
  const std::string verb = verb_of(request.method, route);
  if (!route.resource || !is_write(verb) || is_review_group(route.group)) return;
  log::info("api write", {{"user", user.name},
                          {"verb", verb},
                          {"group", route.group},
                          {"resource", route.subresource.empty() ? route.plural : route.plural + "/" + route.subresource},
                          {"object", ObjectKey{route.ns, route.name}},
                          {"dry_run", route.query.get("dryRun") == "All"},
                          {"code", code},
                          {"agent", request.headers.find("User-Agent").value_or("")},
                          {"command", request.headers.find("Kubectl-Command").value_or("")},
                          {"session", request.headers.find("Kubectl-Session").value_or("")}});
}

Awaitable<> ApiServer::Impl::serve_own(net::HttpRequest request, net::Peer peer, net::ReplyWriter* out) {
  const std::string audit_id = random.uuid();
  const std::optional<Route> route = parse_route(request.target);
  const std::optional<User> user = access.authenticate(request, peer);
  Answer<std::optional<net::HttpReply>> reply = page_not_found();
  bool failed = false;
  if (!user) {
    reply = unauthorized();
  } else if (route) {
    const Context context(clock, "api " + user->name);
    try {
      reply = co_await answer(context, request, *route, *user, out);
    } catch (const std::exception&) {
      failed = true;
    }
  }
  if (failed) {
    log::error("api request failed unexpectedly", {{"audit_id", audit_id}});
    reply = internal_error();
  }
  if (out->begun()) co_return;
  if (reply && !*reply) co_return;
  net::HttpReply sent = reply ? std::move(**reply) : failure_reply(reply.error());
  sent.headers.set("Audit-Id", audit_id);
  if (user && route) audit(request, *route, *user, sent.status);
  if (request.method == "HEAD") sent.body.clear();
  const bool done = co_await out->send(std::move(sent));
  (void)done;
}

const net::HttpHandler* ApiServer::Impl::mounted_for(const net::HttpRequest& request) const {
  const std::string_view path = path_of(request.target);
  if (path == "/" && request.method == "GET" && options.page && accepts_html(request.headers.find("Accept"))) return &options.page;
  for (const auto& [mount, handler] : options.mounts)
    if (is_at_or_below(path, mount)) return &handler;
  return nullptr;
}

Awaitable<> ApiServer::Impl::serve(net::HttpRequest request, net::Peer peer, net::ReplyWriter* out) {
  if (const net::HttpHandler* mounted = mounted_for(request)) {
    co_await (*mounted)(std::move(request), std::move(peer), *out);
    co_return;
  }
  co_await serve_own(std::move(request), std::move(peer), out);
}

// --- life ---

Task<> ApiServer::Impl::ensure_object(Context context, const ResourceType* type, json::object object) {
  const ObjectKey key{"", std::string(metadata_text(object, "name"))};
  const Result<StoredPtr> found = co_await store.get(context, type->stored_as(), key);
  if (!found && found.error().code != Errc::NotFound) co_return found.error();
  const json::value* spec = object.if_contains("spec");
  if (found && (type->of != TypeOf::Definition || (*found)->body.at("spec") == *spec)) co_return ok();
  json::object& metadata = object["metadata"].get_object();
  metadata["uid"] = found ? (*found)->uid.value : random.uuid();
  if (!found) {
    const Result<StoredPtr> created = co_await store.create(context, type->stored_as(), key, std::move(object));
    if (!created) co_return created.error();
    co_return ok();
  }
  // A newer program brings newer definitions: what the store holds follows.
  const Result<StoredPtr> updated = co_await store.update(context, type->stored_as(), key, std::move(object), (*found)->version);
  if (!updated) co_return updated.error();
  co_return ok();
}

ApiServer::ApiServer(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, const Access& access,
                     ApiServerOptions options, std::shared_ptr<boost::asio::ssl::context> tls)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, random, store, access, std::move(options), std::move(tls))) {}

ApiServer::~ApiServer() = default;

Task<> ApiServer::prepare(Context context) {
  const ResourceType* namespaces = find_type("", "v1", "namespaces");
  for (const std::string_view name : {std::string_view("default"), system_namespace}) {
    json::object object{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", name}}}};
    prepare_create(*namespaces, object, "", "", impl_->clock.now());
    const Result<> made = co_await impl_->ensure_object(context, namespaces, std::move(object));
    if (!made) co_return made.error();
  }
  const ResourceType* definitions = find_type("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  for (json::object& object : built_in_definitions(impl_->clock.now())) {
    const Result<> made = co_await impl_->ensure_object(context, definitions, std::move(object));
    if (!made) co_return made.error();
  }
  co_return ok();
}

Result<> ApiServer::start() { return impl_->server.start(); }

std::uint16_t ApiServer::port() const noexcept { return impl_->server.port(); }

Awaitable<> ApiServer::stop(Duration grace) {
  impl_->stopping = true;
  impl_->endpoints.stop_watches();
  co_await impl_->server.stop(grace);
}

net::HttpHandler ApiServer::handler() {
  Impl* impl = impl_.get();
  return [impl](net::HttpRequest request, net::Peer peer, net::ReplyWriter& out) {
    return impl->serve(std::move(request), std::move(peer), &out);
  };
}

ObjectWriter& ApiServer::writer() noexcept { return impl_->writer; }

}  // namespace keyturn::embedded
