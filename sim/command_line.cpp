#include "sim/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>

namespace keyturn::sim {

namespace {

constexpr double speed_max = 1000;  // beyond it the periodic syncs alone would keep the process busy

std::optional<SimulatorOptions::VaultPort> read_vault(const std::string& text) {
  SimulatorOptions::VaultPort vault;
  const std::size_t equals = std::min(text.find('='), text.size());
  vault.name = text.substr(0, equals);
  const std::string_view port = std::string_view(text).substr(std::min(equals + 1, text.size()));
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), vault.port);
  const bool port_ok = port.empty() ? equals == text.size() : failed == std::errc{} && end == port.data() + port.size();
  if (vault.name.empty() || !port_ok) return std::nullopt;
  return vault;
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine out;
  CLI::App app("keyturn-sim: a simulated Azure (Entra ID, Key Vault secrets, Container Apps) with faults on demand.", "keyturn-sim");
  std::vector<std::string> vaults;
  std::string level = "info";
  const std::map<std::string, log::Level> levels{
      {"debug", log::Level::Debug}, {"info", log::Level::Info}, {"warn", log::Level::Warn}, {"error", log::Level::Error}};
  app.footer(
      "Faults (POST /admin/faults): status, drop-before, drop-after-effect, status-after-effect, apply-late, delay, read-only, ignore.\n"
      "Routes, seed and admin API: docs/keyturn-sim.md.");
  app.set_version_flag("--version", std::string("keyturn-sim ") + KEYTURN_VERSION);
  app.add_option("--address", out.options.address, "Address of the TLS listeners")->capture_default_str();
  app.add_option("--port", out.options.port, "Main TLS port: Entra, ARM, health, vaults by host name; 0 = any")->capture_default_str();
  app.add_option("--admin-port", out.options.admin_port, "Plain HTTP on 127.0.0.1: faults, state, seed; 0 = any")->capture_default_str();
  app.add_option("--vault", vaults, "NAME[=PORT]: a vault with a TLS port of its own; repeatable")->allow_extra_args(false);
  app.add_option("--seed", out.seed_file, "JSON file of what exists at the start; - = standard input");
  app.add_option("--state-dir", out.options.state_dir, "Keeps ca.pem and ca-key.pem between runs")->capture_default_str();
  app.add_option("--speed", out.options.speed, "The platform's own waits pass N times faster")
      ->check(CLI::Range(0.001, speed_max))
      ->capture_default_str();
  app.add_option("--ready-file", out.ready_file, "Written once everything listens: ports and the CA file, as JSON");
  app.add_option("--authority", out.options.authority, "What the 401 challenge names as authority, without the tenant");
  // Words are checked, not the values behind them: a refusal prints what is allowed.
  app.add_option("--log-level", level, "debug, info, warn, error")
      ->transform(CLI::IsMember({"debug", "info", "warn", "error"}, CLI::ignore_case))
      ->option_text("LEVEL");
  try {
    app.parse(argc, argv);
    out.log_level = levels.at(level);
    for (const std::string& text : vaults) {
      const auto vault = read_vault(text);
      if (!vault) throw CLI::ValidationError("--vault", "NAME[=PORT] is wanted");
      out.options.vaults.push_back(*vault);
    }
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 2};
  }
  return {std::move(out), 0};
}

}  // namespace keyturn::sim
