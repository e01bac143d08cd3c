#include "cli/run.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "cli/table.h"
#include "cli/verbs.h"

namespace keyturn {
namespace {

Task<> start(Session session) {
  switch (session.arguments.verb) {
    case Verb::Status:
      return status(session);
    case Verb::Plan:
      return plan(session);
    case Verb::History:
      return history(session);
    case Verb::Verify:
      return verify(session);
    case Verb::Watch:
    case Verb::Version:
    case Verb::Kubeconfig:
      break;
  }
  return watch(session);
}

Awaitable<> keep(Task<> verb, Result<>& result) { result = co_await std::move(verb); }

Result<> run_remote(const Arguments& arguments, const Environment& environment, std::ostream& out, int& exit_code) {
  Result<Connection> connection = read_connection(arguments, environment);
  if (!connection) return connection.error();
  boost::asio::io_context io(1);
  SystemClock clock(io.get_executor());
  Result<ApiClient> api = ApiClient::create(io.get_executor(), std::move(*connection));
  if (!api) return api.error();
  Result<> result = Error{Errc::Internal, "the command did not finish"};
  const auto ended = [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  boost::asio::co_spawn(io, keep(start({arguments, *api, clock, out, exit_code}), result), ended);
  io.run();
  return result;
}

Result<> run_verb(const Arguments& arguments, const Environment& environment, std::ostream& out, int& exit_code) {
  if (arguments.verb == Verb::Kubeconfig) return print_kubeconfig(arguments, environment, out);
  if (arguments.verb == Verb::Verify && !arguments.file.empty()) {
    const Result<int> found = verify_file(arguments, out);
    if (!found) return found.error();
    exit_code = *found;
    return ok();
  }
  if (arguments.verb != Verb::Version) return run_remote(arguments, environment, out, exit_code);
  print_version(out);
  return ok();
}

}  // namespace

int run(const Arguments& arguments, const Environment& environment, std::ostream& out, std::ostream& err) {
  int exit_code = 0;
  const Result<> done = run_verb(arguments, environment, out, exit_code);
  out.flush();
  if (done) return exit_code;
  err << "error: " << printable(done.error().message) << '\n';
  return 1;
}

}  // namespace keyturn
