// The embedded API server alone, on a store in memory, for tests with real clients: api_server_main DIRECTORY. Writes
// DIRECTORY/kubeconfig (admin) and DIRECTORY/kubeconfig-ROLE for the other roles, then prints "serving on PORT" and runs until SIGTERM.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "controller/embedded/api_server.h"
#include "controller/embedded/certificates.h"
#include "controller/embedded/kubeconfig.h"
#include "controller/runtime/memory_store.h"

namespace {

using namespace keyturn;
using embedded::Role;

struct Program {
  boost::asio::io_context io{1};
  SystemClock clock{io.get_executor()};
  SystemRandom random;
  MemoryStore store{io.get_executor(), clock, Uid{"11111111-2222-4333-8444-555555555555"}};
  embedded::Access access;
  int exit_code = 1;
};

bool write_kubeconfigs(Program& program, const std::string& directory, const std::string& url, const std::string& ca_pem) {
  for (const Role role : {Role::Admin, Role::Edit, Role::View, Role::Controller}) {
    embedded::User user;
    user.name = std::string(embedded::name_of(role)) + "-user";
    user.role = role;
    const Result<Secret> token = program.access.issue(program.random, user);
    const std::string suffix = role == Role::Admin ? "" : "-" + std::string(embedded::name_of(role));
    if (!token || !embedded::write_kubeconfig(directory + "/kubeconfig" + suffix, url, ca_pem, *token)) return false;
  }
  return true;
}

Awaitable<> run(Program* program, std::string directory) {
  const Result<embedded::Certificates> certificates = embedded::ensure_certificates(directory, {"127.0.0.1", "localhost"});
  if (!certificates) co_return;
  const Result<std::shared_ptr<boost::asio::ssl::context>> tls = net::server_context(certificates->server);
  if (!tls) co_return;
  embedded::ApiServer server(program->io.get_executor(), program->clock, program->random, program->store, program->access, {}, *tls);
  const Result<> prepared = co_await server.prepare(Context(program->clock, "test"));
  if (!prepared || !server.start()) co_return;
  if (!write_kubeconfigs(*program, directory, "https://127.0.0.1:" + std::to_string(server.port()), certificates->ca_pem)) co_return;
  std::printf("serving on %d\n", static_cast<int>(server.port()));
  std::fflush(stdout);
  boost::asio::signal_set signals(program->io, SIGTERM, SIGINT);
  co_await signals.async_wait(boost::asio::use_awaitable);
  co_await server.stop(Duration{5'000});
  program->exit_code = 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Program program;
  boost::asio::co_spawn(program.io, run(&program, argv[1]), boost::asio::detached);
  program.io.run();
  return program.exit_code;
}
