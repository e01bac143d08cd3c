#include "sim/simulator.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.h"
#include "base/secret_memory.h"
#include "sim/http_date.h"
#include "sim/reply.h"
#include "sim/seed.h"
#include "sim/state_dir.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

std::string local_url(std::string_view scheme, std::string_view host, std::uint16_t port) {
  return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port);
}

std::string described(const std::optional<Fault>& fault) {
  return fault ? fault->id + " " + std::string(name_of(fault->action)) : std::string();
}

bool closes_without_answer(const std::optional<Fault>& fault) {
  if (!fault) return false;
  return fault->action == FaultAction::DropBefore || fault->action == FaultAction::DropAfterEffect ||
         fault->action == FaultAction::ApplyLate;
}

}  // namespace

Simulator::Simulator(boost::asio::any_io_executor executor, Clock& clock, Random& random, SimulatorOptions options)
    : executor_(std::move(executor)),
      clock_(clock),
      options_(std::move(options)),
      cloud_(clock_, random, {.speed = options_.speed, .authority = options_.authority, .main_authority = ""}),
      admin_(cloud_) {}

Result<std::uint16_t> Simulator::listen(std::uint16_t port, const std::string& vault, const std::string& flag,
                                        std::shared_ptr<boost::asio::ssl::context> tls, net::HttpHandler handler) {
  net::HttpServerOptions options;
  // Without TLS only loopback is possible: the admin port is not for the network.
  if (tls) options.address = options_.address;
  options.port = port;
  auto server = std::make_unique<net::HttpServer>(executor_, clock_, std::move(options), std::move(tls), std::move(handler));
  if (const auto started = server->start(); !started) {
    const bool in_use = started.error().code == Errc::Conflict;
    return Error{started.error().code, flag + (in_use ? ": port " + std::to_string(port) + " is in use" : ": " + started.error().message)};
  }
  const std::uint16_t bound = server->port();
  if (!vault.empty()) {
    vault_ports_[vault] = bound;
    cloud_.vaults.listens(vault, bound);
  }
  servers_.push_back(std::move(server));
  return bound;
}

Result<> Simulator::listen_everywhere(const net::TlsIdentity& identity) {
  const auto tls = net::server_context(identity);
  if (!tls) return tls.error();
  const auto handler_of = [this](const std::string& vault) -> net::HttpHandler {
    return
        [this, vault](net::HttpRequest request, net::Peer, net::ReplyWriter& writer) { return serve(vault, std::move(request), writer); };
  };
  const auto main = listen(options_.port, "", "--port", *tls, handler_of(""));
  if (!main) return main.error();
  port_ = *main;
  cloud_.settings.main_authority = "localhost:" + std::to_string(port_);
  for (const SimulatorOptions::VaultPort& vault : options_.vaults) {
    const auto bound = listen(vault.port, vault.name, "--vault " + vault.name, *tls, handler_of(vault.name));
    if (!bound) return bound.error();
  }
  const auto admin =
      listen(options_.admin_port, "", "--admin-port", nullptr,
             [this](net::HttpRequest request, net::Peer, net::ReplyWriter& writer) { return serve_admin(std::move(request), writer); });
  if (!admin) return admin.error();
  admin_port_ = *admin;
  return ok();
}

Result<> Simulator::take_seed(const Secret& seed) {
  if (!seed.empty()) {
    const auto document = SecretJson::parse(seed);
    if (!document) return Error{Errc::Invalid, "the seed is not valid JSON"};
    const auto applied = apply_seed(cloud_, *document, cloud_.settle());
    if (!applied) return Error{Errc::Invalid, "seed: " + applied.error().message};
  }
  // After the seed: a vault that it describes keeps the settings given there.
  for (const SimulatorOptions::VaultPort& vault : options_.vaults) cloud_.vaults.ensure(vault.name);
  return ok();
}

Result<> Simulator::start(const Secret& seed) {
  const auto state = open_state_dir(options_.state_dir);
  if (!state) return state.error();
  ca_file_ = state->ca_file;
  if (const auto listening = listen_everywhere(state->identity); !listening) return listening.error();
  return take_seed(seed);
}

Awaitable<> Simulator::stop(Duration grace) {
  for (const auto& server : servers_) co_await server->stop(grace);
}

std::uint16_t Simulator::port() const noexcept { return port_; }
std::uint16_t Simulator::admin_port() const noexcept { return admin_port_; }

std::string Simulator::ready_json() const {
  const std::string main = local_url("https", "localhost", port_);
  json::object vaults;
  for (const auto& [name, site] : cloud_.vaults.all()) {
    json::object vault{{"url", cloud_.vaults.origin(name)}};
    const auto own = vault_ports_.find(site->vault.name());
    if (own != vault_ports_.end()) vault["port"] = own->second;
    vaults[site->vault.name()] = std::move(vault);
  }
  return json::serialize(json::object{{"pid", ::getpid()},
                                      {"version", KEYTURN_VERSION},
                                      {"main", main},
                                      {"authority", options_.authority.empty() ? main : options_.authority},
                                      {"arm", main},
                                      {"admin", local_url("http", "127.0.0.1", admin_port_)},
                                      {"caFile", ca_file_.string()},
                                      {"tenant", cloud_.tenant},
                                      {"subscription", cloud_.subscription},
                                      {"speed", options_.speed},
                                      {"vaults", std::move(vaults)}}) +
         "\n";
}

void Simulator::record(const Request& request, const Route& route, const std::string& principal, int status,
                       const std::optional<Fault>& fault) {
  cloud_.journal.add({.at = clock_.now(),
                      .route = route,
                      .method = request.method,
                      .host = request.host,
                      .path = request.path,
                      .principal = principal,
                      .correlation = std::string(request.header_or("x-ms-correlation-request-id", "")),
                      .status = status,
                      .fault = described(fault)});
}

Awaitable<> Simulator::serve(std::string vault, net::HttpRequest http, net::ReplyWriter& writer) {
  auto read = read_request(http);
  if (!read) {
    net::HttpReply reply = arm_refusal({400, "BadRequest", "The request could not be read."});
    co_await writer.send(std::move(reply));
    co_return;
  }
  auto request = std::make_shared<const Request>(std::move(*read));
  const Instant now = cloud_.settle();
  Route route = cloud_.route(*request, vault);
  Faults::Met met = cloud_.faults.meet(route, now);
  co_await exchange(std::move(request), std::move(route), std::move(met), writer);
}

// What is sent back, and what happens for it. ApplyLate and the drops are decided by the caller.
net::HttpReply Simulator::answer(const Request& request, const Route& route, const std::optional<Fault>& fault, std::string& principal) {
  const Instant now = cloud_.settle();
  if (fault && fault->action == FaultAction::Status) return fault->reply(route.service);
  if (fault && fault->action == FaultAction::ReadOnly) {
    Fault read_only = *fault;
    if (read_only.message.empty()) read_only.message = "The vault is read-only while it fails over to another region.";
    return read_only.reply(route.service);
  }
  if (fault && fault->action == FaultAction::Ignore) {
    net::HttpReply reply;
    reply.status = 200;
    return reply;
  }
  net::HttpReply reply = cloud_.perform(request, route, now, principal);
  return fault && fault->action == FaultAction::StatusAfterEffect ? fault->reply(route.service) : std::move(reply);
}

Awaitable<> Simulator::exchange(std::shared_ptr<const Request> request, Route route, Faults::Met met, net::ReplyWriter& writer) {
  if (met.delay.count() > 0) co_await clock_.sleep_for(met.delay);
  std::string principal;
  if (closes_without_answer(met.fault)) {
    const Instant now = cloud_.settle();
    if (met.fault->action == FaultAction::DropAfterEffect) cloud_.perform(*request, route, now, principal);
    if (met.fault->action == FaultAction::ApplyLate) {
      cloud_.agenda.at(now + met.fault->after, [this, request, route](Instant at) {
        std::string late_principal;
        cloud_.perform(*request, route, at, late_principal);
      });
    }
    record(*request, route, principal, 0, met.fault);
    if (met.fault->hold.count() > 0) co_await clock_.sleep_for(met.fault->hold);
    writer.drop();
    co_return;
  }
  net::HttpReply reply = answer(*request, route, met.fault, principal);
  reply.headers.set("Date", http_date(clock_.now()));
  record(*request, route, principal, reply.status, met.fault);
  co_await writer.send(std::move(reply));
}

Awaitable<> Simulator::serve_admin(net::HttpRequest http, net::ReplyWriter& writer) {
  auto request = read_request(http);
  net::HttpReply reply = request ? admin_.handle(*request) : arm_refusal({400, "BadRequest", "The request could not be read."});
  co_await writer.send(std::move(reply));
}

}  // namespace keyturn::sim
