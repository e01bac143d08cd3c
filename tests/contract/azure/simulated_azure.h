// keyturn-sim inside the test process, and the adapters in front of it: the same code as in production, over real sockets and TLS, with
// a clock that only the test moves.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "reconcilers/azure/azure_environment.h"
#include "sim/simulator.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/virtual_clock.h"

namespace keyturn {

class SimulatedAzure : public ::testing::Test {
 protected:
  SimulatedAzure() : clock(io.get_executor(), Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}}) {}
  ~SimulatedAzure() override { run(io, sim->stop(Duration{1'000})); }

  // Starts the simulation with one vault, `main`, and then opens the environment.
  void begin(const std::string& seed) {
    sim::SimulatorOptions options;
    options.vaults = {{"main", 0}};
    options.state_dir = directory.path() / "sim";
    sim = std::make_unique<sim::Simulator>(io.get_executor(), clock, *random, options);
    const auto started = sim->start(Secret::copy_of(seed));
    ASSERT_TRUE(started) << started.error().message;
    const boost::json::value ready = boost::json::parse(sim->ready_json());
    vault_url = std::string(std::string_view(ready.at("vaults").at("main").at("url").as_string()));
    std::ofstream(directory.file("client-secret")) << "anything\n";
    settings.cloud = api::Cloud::Custom;
    settings.tenant_id = sim->cloud().tenant;
    settings.subscription_id = sim->cloud().subscription;
    settings.identity = {api::IdentityType::ClientSecret, "keyturn", directory.file("client-secret"), ""};
    settings.endpoints.authority = std::string(std::string_view(ready.at("authority").as_string()));
    settings.endpoints.resource_manager = std::string(std::string_view(ready.at("arm").as_string()));
    settings.endpoints.ca_file = sim->ca_file().string();
    open();
  }
  // As after a restart of the controller: no token, no connection.
  void open() {
    const auto opened = AzureEnvironment::open(io.get_executor(), random, settings, api::Timing{}, "");
    ASSERT_TRUE(opened) << opened.error().message;
    environment = *opened;
    api::VaultEntry entry;
    entry.name = entry.vault = "main";
    entry.url = vault_url;
    vault = environment->vault(entry).value();
  }
  std::shared_ptr<Consumer> consumer(const std::string& app, api::ReferenceMode mode, bool with_health = false) {
    api::ConsumerEntry entry;
    entry.name = app;
    entry.type = "ContainerApp";
    entry.container_app = api::ContainerAppSettings{"erp", app, mode, api::DataProtection::NotUsed};
    if (with_health)
      entry.health = api::HealthCheck{settings.endpoints.resource_manager + "/apps/" + app + "/health", "/status", "Healthy"};
    return environment->container_app(entry).value();
  }
  // The admin API of the simulation, as docs/keyturn-sim.md describes it.
  void admin(const std::string& path, const std::string& body) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/admin/" + path;
    request.headers.add("Content-Type", "application/json");
    request.body = body;
    const net::Origin origin{"http", "127.0.0.1", sim->admin_port()};
    const auto reply = run_task(admin_client->send(context(), origin, request));
    ASSERT_TRUE(reply) << reply.error().message;
    ASSERT_LT(reply->status, 300) << reply->body;
  }
  void fault(const std::string& text) { admin("faults", text); }
  void grant(const std::string& text) { admin("grants", text); }
  sim::App& app(const std::string& name) {
    sim->cloud().settle();
    return *sim->cloud().apps.find(name);
  }
  const sim::Vault::Entry& stored(const std::string& secret) {
    return sim->cloud().vaults.find("main")->vault.entries(clock.now()).at(secret);
  }
  Context context() { return {clock, "team/redis publish"}; }
  template <class T>
  T run_task(boost::asio::awaitable<T> task) {
    return run(io, std::move(task));
  }

  boost::asio::io_context io;
  VirtualClock clock;
  TemporaryDirectory directory;
  std::shared_ptr<SeededRandom> random = std::make_shared<SeededRandom>(7);
  std::unique_ptr<sim::Simulator> sim;
  api::AzureSettings settings;
  std::string vault_url;
  std::shared_ptr<AzureEnvironment> environment;
  std::shared_ptr<SecretVault> vault;
  std::shared_ptr<net::HttpClient> admin_client =
      std::make_shared<net::HttpClient>(io.get_executor(), net::client_context(net::TlsTrust{}).value());
};

inline std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view text) { return std::string(text); });
}

}  // namespace keyturn
