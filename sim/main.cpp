// keyturn-sim: reads its flags, runs the simulator until a signal comes, and says what it did by its exit code.
#include <fmt/core.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "sim/command_line.h"
#include "sim/simulator.h"
#include "sim/state_dir.h"

namespace {

using namespace keyturn;
using namespace keyturn::sim;

constexpr std::size_t arena_bytes = std::size_t{16} << 20;  // every value, token and body of the simulation
constexpr Duration stop_grace{2'000};

Result<Secret> read_seed(const std::string& path) {
  if (path.empty()) return Secret{};
  std::ifstream file(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) return Error{Errc::Invalid, "the seed file cannot be read"};
  SecretBuffer text;
  for (bool more = true; more;) {
    const std::span<char> room = text.prepare(16 * 1024);
    in.read(room.data(), static_cast<std::streamsize>(room.size()));
    more = in.gcount() > 0;
    text.commit(static_cast<std::size_t>(in.gcount()));
  }
  return std::move(text).finish();
}

int failed(const Error& error) {
  fmt::print(stderr, "keyturn-sim: {}\n", error.message);
  return error.code == Errc::Invalid ? 2 : 1;
}

Awaitable<> stop_then(Simulator& simulator, boost::asio::io_context& io) {
  co_await simulator.stop(stop_grace);
  io.stop();
}

int run(const CommandLine& command_line) {
  log::configure(command_line.log_level, log::Format::Text);
  if (const auto locked = SecretArena::lock(arena_bytes, SecretArena::Locking::BestEffort); !locked) return failed(locked.error());
  const auto seed = read_seed(command_line.seed_file);
  if (!seed) return failed(seed.error());
  boost::asio::io_context io;
  SystemClock clock(io.get_executor());
  SystemRandom random;
  Simulator simulator(io.get_executor(), clock, random, command_line.options);
  if (const auto started = simulator.start(*seed); !started) return failed(started.error());
  // Before anybody is told that we are ready, because then a signal may come.
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) boost::asio::co_spawn(io, stop_then(simulator, io), boost::asio::detached);
  });
  if (!command_line.ready_file.empty()) {
    const auto readable = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
    if (const auto written = write_file(command_line.ready_file, simulator.ready_json(), readable); !written)
      return failed(written.error());
  }
  log::info("keyturn-sim is ready", {{"port", static_cast<int>(simulator.port())},
                                     {"admin_port", static_cast<int>(simulator.admin_port())},
                                     {"ca_file", simulator.ca_file().string()}});
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = keyturn::sim::parse_command_line(argc, argv);
  return parsed.command_line ? run(*parsed.command_line) : parsed.exit_code;
}
