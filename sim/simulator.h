// keyturn-sim as a running thing: listeners in front of the simulated cloud, and the faults between the two.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/net/http_server.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/task.h"
#include "sim/admin.h"
#include "sim/cloud.h"
#include "sim/shifted_clock.h"

namespace keyturn::sim {

struct SimulatorOptions {
  struct VaultPort {
    std::string name;
    std::uint16_t port = 0;  // 0 = any
  };
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t admin_port = 0;
  std::vector<VaultPort> vaults;
  std::filesystem::path state_dir = "keyturn-sim-state";
  double speed = 1;
  std::string authority;
};

class Simulator {
 public:
  Simulator(boost::asio::any_io_executor executor, Clock& clock, Random& random, SimulatorOptions options);
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  // Listens everywhere and then takes the seed (empty = none), so that the seed can speak of ports.
  // Errors: Conflict (a port is in use; the message says which flag), Invalid (the seed, with its place), Denied (state directory).
  Result<> start(const Secret& seed);
  Awaitable<> stop(Duration grace);

  // What the ready file says.
  std::string ready_json() const;
  std::uint16_t port() const noexcept;
  std::uint16_t admin_port() const noexcept;
  const std::filesystem::path& ca_file() const noexcept { return ca_file_; }
  Cloud& cloud() noexcept { return cloud_; }

 private:
  struct Exchange;
  Result<std::uint16_t> listen(std::uint16_t port, const std::string& vault, const std::string& flag,
                               std::shared_ptr<boost::asio::ssl::context> tls, net::HttpHandler handler);
  Result<> listen_everywhere(const net::TlsIdentity& identity);
  Result<> take_seed(const Secret& seed);
  Awaitable<> serve(std::string vault, net::HttpRequest http, net::ReplyWriter& writer);
  Awaitable<> serve_admin(net::HttpRequest http, net::ReplyWriter& writer);
  Awaitable<> exchange(std::shared_ptr<const Request> request, Route route, Faults::Met met, net::ReplyWriter& writer);
  net::HttpReply answer(const Request& request, const Route& route, const std::optional<Fault>& fault, std::string& principal);
  void record(const Request& request, const Route& route, const std::string& principal, int status, const std::optional<Fault>& fault);

  boost::asio::any_io_executor executor_;
  ShiftedClock clock_;
  SimulatorOptions options_;
  Cloud cloud_;
  Admin admin_;
  std::filesystem::path ca_file_;
  std::map<std::string, std::uint16_t> vault_ports_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
  std::vector<std::unique_ptr<net::HttpServer>> servers_;
};

}  // namespace keyturn::sim
