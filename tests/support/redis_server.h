// A real redis-server of the system's package, on a loopback port of its own, for contract tests.
#pragma once

#include <memory>
#include <string>

#include "tests/support/child_process.h"

namespace keyturn {

class RedisServer {
 public:
  // Where it keeps its users across a restart.
  enum class Persistence { AclFile, ConfigFile, None };
  enum class Transport { Plain, Tls };

  static constexpr const char* admin_user = "admin";
  static constexpr const char* admin_password = "admin-test-value-7c1f";

  // Users: "default" is off, `admin_user` may do everything, and whatever `users` adds: lines of an ACL file.
  explicit RedisServer(std::string users, Persistence persistence = Persistence::AclFile, Transport transport = Transport::Plain);
  ~RedisServer();

  int port() const noexcept { return port_; }
  std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string log() const;
  const std::string& ca_pem() const noexcept { return ca_pem_; }
  // What the configuration and ACL files hold.
  std::string files() const;

  void start();         // after stop; on the same port
  void stop();          // at once, without saving anything
  void freeze() const;  // accepts connections (the kernel does) and answers nobody
  void thaw() const;

 private:
  bool try_start();
  std::string configuration() const;

  TemporaryDirectory directory_;
  const std::string users_;
  const Persistence persistence_;
  const Transport transport_;
  std::string ca_pem_;
  int port_ = 0;
  std::string earlier_log_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace keyturn
