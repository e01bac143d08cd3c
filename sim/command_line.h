// The flags of keyturn-sim.
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "sim/simulator.h"

namespace keyturn::sim {

struct CommandLine {
  SimulatorOptions options;
  std::string seed_file;   // empty = none, "-" = standard input
  std::string ready_file;  // empty = none
  log::Level log_level = log::Level::Info;
};

// Prints help, version or what is wrong by itself; then there is no command line but an exit code: 0, or 2 for a wrong flag.
struct ParsedCommandLine {
  std::optional<CommandLine> command_line;
  int exit_code = 0;
};
ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace keyturn::sim
