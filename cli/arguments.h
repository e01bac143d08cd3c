// What the user asked for, parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "base/time.h"

namespace keyturn {

enum class Verb : std::uint8_t { Status, Plan, History, Verify, Watch, Version, Kubeconfig };
enum class Output : std::uint8_t { Table, Wide, Json };

struct Arguments {
  Verb verb = Verb::Status;
  std::string name;  // of a rotation; empty = all
  std::string ns;    // empty = the kubeconfig's
  bool all_namespaces = false;
  Output output = Output::Table;
  std::string revision;  // of a plan: what if the spec named it
  int limit = 0;         // of a history; 0 = all
  std::string anchor;    // of a verification: the hash of a record that was kept elsewhere
  std::string file;      // of a verification: the runs as JSON, instead of asking the controller
  std::string server;    // each overrides what the kubeconfig says
  std::string kubeconfig;
  std::string context;
  std::string token_file;
  std::string certificate_authority;
  Duration request_timeout{15'000};
};

// The verb and its flags; nothing when the program is done already (help, or a mistake that was explained), with `exit_code` set.
std::optional<Arguments> parse_arguments(int argc, const char* const* argv, std::ostream& out, std::ostream& err, int& exit_code);

}  // namespace keyturn
