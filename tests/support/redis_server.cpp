#include "tests/support/redis_server.h"

#include <signal.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "base/hash.h"
#include "base/net/tls.h"

namespace keyturn {
namespace {

constexpr const char* program = "/usr/bin/redis-server";
constexpr int starts_max = 10;  // each on another port, should somebody take the one just found

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

RedisServer::RedisServer(std::string users, Persistence persistence, Transport transport)
    : users_("user default off\nuser " + std::string(admin_user) + " on #" + to_hex(sha256(admin_password)) + " ~* &* +@all\n" +
             std::move(users)),
      persistence_(persistence),
      transport_(transport) {
  if (transport_ == Transport::Tls) {
    const auto tls = net::generate_tls("redis under test", {"localhost", "127.0.0.1"});
    if (!tls) throw std::runtime_error("no certificate");
    ca_pem_ = tls->ca_pem;
    write_file(directory_.path() / "ca.pem", tls->ca_pem);
    write_file(directory_.path() / "server.pem", tls->server.certificate_pem);
    write_file(directory_.path() / "server.key", tls->server.key_pem);
  }
  for (int attempt = 0; attempt < starts_max; ++attempt) {
    port_ = unused_port();
    if (persistence_ == Persistence::AclFile) write_file(directory_.path() / "users.acl", users_);
    if (persistence_ != Persistence::None) write_file(directory_.path() / "redis.conf", configuration());
    if (try_start()) return;
  }
  throw std::runtime_error("redis-server does not start");
}

std::string RedisServer::configuration() const {
  std::string lines = "save \"\"\nappendonly no\ndir " + directory_.path().string() + "\n";
  if (transport_ == Transport::Plain) {
    lines += "bind 127.0.0.1\nport " + std::to_string(port_) + "\n";
  } else {
    // The second address is not in the certificate.
    lines += "bind 127.0.0.1 127.0.0.2\nport 0\ntls-port " + std::to_string(port_) +
             "\ntls-cert-file server.pem\ntls-key-file server.key\ntls-ca-cert-file ca.pem\ntls-auth-clients no\n";
  }
  return lines + (persistence_ == Persistence::AclFile ? "aclfile " + (directory_.path() / "users.acl").string() + "\n" : users_);
}

RedisServer::~RedisServer() = default;

// Without a file every line of the configuration is an option.
bool RedisServer::try_start() {
  std::vector<std::string> arguments{program};
  if (persistence_ != Persistence::None) {
    arguments.push_back((directory_.path() / "redis.conf").string());
  } else {
    std::istringstream lines(configuration());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words("--" + line);
      for (std::string word; words >> word;) arguments.push_back(word == "\"\"" ? "" : word);
    }
  }
  process_ = std::make_unique<ChildProcess>(std::move(arguments), directory_.path());
  return process_->wait_for_output("eady to accept connections");
}

void RedisServer::start() {
  if (!try_start()) throw std::runtime_error("redis-server does not start again");
}

void RedisServer::stop() {
  if (!process_) return;
  process_->signal(SIGKILL);
  process_->wait();
  earlier_log_ = log();
  process_.reset();
}

void RedisServer::freeze() const { process_->signal(SIGSTOP); }
void RedisServer::thaw() const { process_->signal(SIGCONT); }

std::string RedisServer::log() const { return earlier_log_ + (process_ ? process_->output() : ""); }
std::string RedisServer::files() const { return read_file(directory_.path() / "users.acl") + read_file(directory_.path() / "redis.conf"); }

}  // namespace keyturn
