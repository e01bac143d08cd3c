// The controller's settings: flags before environment before file before defaults.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/log.h"
#include "base/time.h"

namespace keyturn {

struct Config {
  std::string mode = "standalone";
  std::string data_dir = "/var/lib/keyturn";
  std::string address = "127.0.0.1";  // of all listeners
  std::uint16_t port = 6443;          // the Kubernetes-compatible API, the HTTP/JSON API and the page; 0 = any free one
  std::uint16_t grpc_port = 6444;     // 0 = any free one
  std::string advertise;              // host in the kubeconfig; empty = the address
  std::string kubeconfig;             // where to write it; empty = DATA_DIR/kubeconfig
  std::string ready_file;             // written once everything serves: ports and paths as JSON
  std::size_t workers = 8;
  struct Git {
    std::string url;  // empty = no Git source
    std::string branch = "main";
    std::string path;  // folder in the repository; empty = all of it
    Duration interval{60'000};
    bool prune = false;
  } git;
  std::string federated_token_file;  // AZURE_FEDERATED_TOKEN_FILE
  bool allow_unlocked_memory = false;
  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
};

// Wanted nothing but help or a version (code 0), or got something wrong (code 2): print `text` and leave.
struct ExitNow {
  int code = 0;
  std::string text;
};

// Reads flags, KEYTURN_* variables and the file of --config. All mistakes of the command line are told at once.
std::variant<Config, ExitNow> parse_config(int argc, const char* const* argv);

}  // namespace keyturn
