#include "controller/config.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>

namespace keyturn {
namespace {

// A duration in Go's form, as everywhere in the API.
CLI::Option* add_duration(CLI::App& app, const std::string& name, std::string& text, const std::string& help) {
  return app.add_option(name, text, help)->check([](const std::string& given) {
    const auto value = parse_duration(given);
    return value && *value > Duration{0} ? std::string{} : "write a positive duration like 30s, 5m or 1h, not " + given;
  });
}

}  // namespace

std::variant<Config, ExitNow> parse_config(int argc, const char* const* argv) {
  Config config;
  std::string interval = "1m";
  CLI::App app{"Keyturn's controller: rotates secrets so that reality matches what SecretRotation objects want.", "keyturn-controller"};
  app.set_version_flag("--version", std::string("keyturn-controller ") + KEYTURN_VERSION);
  app.set_config("--config", "", "read settings from this file (TOML: name = value)");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--mode", config.mode, "standalone: serve the API from an embedded store")
      ->check(CLI::IsMember({"standalone"}))
      ->envname("KEYTURN_MODE")
      ->capture_default_str();
  app.add_option("--data-dir", config.data_dir, "where objects, certificates and tokens are kept")
      ->envname("KEYTURN_DATA_DIR")
      ->capture_default_str();
  app.add_option("--address", config.address, "address that all listeners bind to")->envname("KEYTURN_ADDRESS")->capture_default_str();
  app.add_option("--port", config.port, "port of the Kubernetes-compatible and HTTP/JSON API; 0 = any free one")
      ->envname("KEYTURN_PORT")
      ->capture_default_str();
  app.add_option("--grpc-port", config.grpc_port, "port of the gRPC API; 0 = any free one")
      ->envname("KEYTURN_GRPC_PORT")
      ->capture_default_str();
  app.add_option("--advertise", config.advertise, "host name that the kubeconfig uses; the address when not given")
      ->envname("KEYTURN_ADVERTISE");
  app.add_option("--kubeconfig", config.kubeconfig, "write the kubeconfig there; DATA_DIR/kubeconfig when not given")
      ->envname("KEYTURN_WRITE_KUBECONFIG");
  app.add_option("--ready-file", config.ready_file, "write ports and paths there once everything serves")->envname("KEYTURN_READY_FILE");
  app.add_option("--workers", config.workers, "rotations that are worked on at once")
      ->check(CLI::Range(1, 256))
      ->envname("KEYTURN_WORKERS")
      ->capture_default_str();
  app.add_option("--git-url", config.git.url, "follow this Git repository and apply what its branch holds")->envname("KEYTURN_GIT_URL");
  app.add_option("--git-branch", config.git.branch, "the branch to follow")->envname("KEYTURN_GIT_BRANCH")->capture_default_str();
  app.add_option("--git-path", config.git.path, "the folder in the repository that holds manifests")->envname("KEYTURN_GIT_PATH");
  add_duration(app, "--git-interval", interval, "how often to look at the branch")->envname("KEYTURN_GIT_INTERVAL")->capture_default_str();
  app.add_flag("--git-prune", config.git.prune, "delete objects whose file left the branch")->envname("KEYTURN_GIT_PRUNE");
  app.add_option("--federated-token-file", config.federated_token_file, "token file of the workload identity")
      ->envname("AZURE_FEDERATED_TOKEN_FILE");
  app.add_flag("--allow-unlocked-memory", config.allow_unlocked_memory, "start even when memory for secrets cannot be locked")
      ->envname("KEYTURN_ALLOW_UNLOCKED_MEMORY");
  std::string level = "info";
  std::string format = "text";
  const std::map<std::string, log::Level> levels{
      {"debug", log::Level::Debug}, {"info", log::Level::Info}, {"warn", log::Level::Warn}, {"error", log::Level::Error}};
  const std::map<std::string, log::Format> formats{{"text", log::Format::Text}, {"json", log::Format::Json}};
  app.add_option("--log-level", level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("KEYTURN_LOG_LEVEL");
  app.add_option("--log-format", format, "text or json")->check(CLI::IsMember({"text", "json"}))->envname("KEYTURN_LOG_FORMAT");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return ExitNow{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return ExitNow{0, std::string("keyturn-controller ") + KEYTURN_VERSION + "\n"};
  } catch (const CLI::ParseError& error) {
    return ExitNow{2, std::string("keyturn-controller: ") + error.what() + "\nSee keyturn-controller --help.\n"};
  }
  config.log_level = levels.at(level);
  config.log_format = formats.at(format);
  config.git.interval = *parse_duration(interval);
  if (config.kubeconfig.empty()) config.kubeconfig = config.data_dir + "/kubeconfig";
  if (config.advertise.empty()) config.advertise = config.address;
  return config;
}

}  // namespace keyturn
