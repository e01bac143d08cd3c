// The simulator behind its sockets: listeners, certificates, and the faults that only a connection can show.
#include "sim/simulator.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/net/http_client.h"
#include "base/net/tls.h"
#include "sim/command_line.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

namespace json = boost::json;

std::string contents_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class SimulatorTest : public testing::Test {
 protected:
  SimulatorOptions options() {
    SimulatorOptions out;
    out.vaults = {{"main", 0}};
    out.state_dir = directory_.path() / "state";
    out.speed = 60;
    return out;
  }
  void start(const std::string& seed = plain_seed) {
    simulator_ = std::make_unique<Simulator>(io_.get_executor(), clock_, random_, options());
    const auto started = simulator_->start(Secret::copy_of(seed));
    ASSERT_TRUE(started) << started.error().message;
    ready_ = json::parse(simulator_->ready_json()).as_object();
    net::TlsTrust trust;
    trust.ca_pem = contents_of(simulator_->ca_file());
    client_ = std::make_unique<net::HttpClient>(io_.get_executor(), *net::client_context(trust));
  }
  void TearDown() override {
    if (!simulator_) return;
    client_->close_idle();
    run(stop(*simulator_));
  }

  template <class T>
  T run(Awaitable<T> work) {
    std::optional<T> result;
    boost::asio::co_spawn(io_, std::move(work), [&](std::exception_ptr failed, T value) {
      if (failed) std::rethrow_exception(failed);
      result.emplace(std::move(value));
      io_.stop();
    });
    io_.restart();
    io_.run();
    return std::move(*result);
  }
  static Awaitable<bool> stop(Simulator& simulator) {
    co_await simulator.stop(Duration(1000));
    co_return true;
  }
  Result<net::HttpReply> send(const std::string& origin, net::HttpRequest request) {
    const auto url = net::Url::parse(origin + request.target);
    return run(client_->send(Context(clock_, "test").with_timeout(Duration(5'000)), url->origin, std::move(request)));
  }
  std::string url(const char* name) { return std::string(ready_.at(name).as_string()); }
  std::string vault_url() { return std::string(ready_.at("vaults").at("main").at("url").as_string()); }

  std::string token() {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/" + std::string(default_tenant) + "/oauth2/v2.0/token";
    request.body = "grant_type=client_credentials&client_id=keyturn&client_secret=s&scope=https://vault.azure.net/.default";
    const auto reply = send(url("authority"), std::move(request));
    return reply ? std::string(json::parse(reply->body).at("access_token").as_string()) : std::string();
  }
  Result<net::HttpReply> vault(const std::string& method, const std::string& target, const std::string& body = "") {
    net::HttpRequest request;
    request.method = method;
    request.target = target + "?api-version=7.4";
    request.body = body;
    request.bearer = std::make_shared<const Secret>(Secret::copy_of(token()));
    return send(vault_url(), std::move(request));
  }
  Result<net::HttpReply> admin(const std::string& method, const std::string& target, const std::string& body = "",
                               net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    return send(url("admin"), std::move(request));
  }
  void add_fault(const std::string& fault) {
    const auto reply = admin("POST", "/admin/faults", fault);
    ASSERT_TRUE(reply && reply->status == 201);
  }
  void advance(int seconds) {
    const auto reply = admin("POST", "/admin/advance", R"({"seconds":)" + std::to_string(seconds) + "}");
    ASSERT_TRUE(reply && reply->status == 200);
  }
  std::size_t versions() {
    const auto state = admin("GET", "/admin/state");
    return json::parse(state->body).at_pointer("/vaults/main/secrets/redis/versions").as_array().size();
  }

  TemporaryDirectory directory_;
  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  SeededRandom random_{3};
  json::object ready_;
  std::unique_ptr<Simulator> simulator_;
  std::unique_ptr<net::HttpClient> client_;
};

TEST_F(SimulatorTest, ServesAVaultOnItsOwnPortUnderItsOwnAuthority) {
  start();
  const auto reply = vault("GET", "/secrets/redis");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(json::parse(reply->body).at("value").as_string(), "first");
  EXPECT_TRUE(std::string(json::parse(reply->body).at("id").as_string()).starts_with(vault_url() + "/secrets/redis/"));
  EXPECT_TRUE(reply->headers.find("Date"));
}

TEST_F(SimulatorTest, ChallengesWithItsOwnAuthorityOnAVaultsOwnPort) {  // KV-S5
  start();
  net::HttpRequest request;
  request.target = "/secrets/redis?api-version=7.4";
  const auto reply = send(vault_url(), std::move(request));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 401);
  EXPECT_EQ(reply->headers.find("WWW-Authenticate"),
            "Bearer authorization=\"" + url("main") + "/" + std::string(default_tenant) + "\", resource=\"https://vault.azure.net\"");
}

TEST_F(SimulatorTest, ResolvesReferencesToAVaultsOwnPort) {
  start();
  const auto state = admin("GET", "/admin/state");
  EXPECT_TRUE(json::parse(state->body).at_pointer("/apps/orders/syncRecords/0/succeeded").as_bool());
  EXPECT_EQ(simulator_->cloud().apps.find("orders")->secrets().entries()[0].key_vault_url, vault_url() + "/secrets/redis");
}

TEST_F(SimulatorTest, StoresAVersionAndThenDropsTheConnection) {  // KV-S4
  start();
  add_fault(R"({"match":{"operation":"vault.set"},"action":"drop-after-effect"})");
  const auto lost = vault("PUT", "/secrets/redis", R"({"value":"second"})");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(versions(), 2U);
}

TEST_F(SimulatorTest, DropsTheConnectionWithoutAnEffect) {  // AR-S4
  start();
  add_fault(R"({"match":{"operation":"vault.set"},"action":"drop-before"})");
  EXPECT_FALSE(vault("PUT", "/secrets/redis", R"({"value":"second"})"));
  EXPECT_EQ(versions(), 1U);
}

TEST_F(SimulatorTest, AnswersAnErrorAfterTheEffect) {  // AR-S4
  start();
  add_fault(R"({"match":{"operation":"vault.set"},"action":"status-after-effect","status":500})");
  EXPECT_EQ(vault("PUT", "/secrets/redis", R"({"value":"second"})")->status, 500);
  EXPECT_EQ(versions(), 2U);
}

TEST_F(SimulatorTest, AppliesAWriteLongAfterItsConnectionWasLost) {
  start();
  add_fault(R"({"match":{"operation":"vault.set"},"action":"apply-late","afterMs":60000,"holdMs":5})");
  EXPECT_FALSE(vault("PUT", "/secrets/redis", R"({"value":"late"})"));
  EXPECT_EQ(versions(), 1U);
  advance(59);
  EXPECT_EQ(versions(), 1U);
  advance(2);
  EXPECT_EQ(versions(), 2U);
}

TEST_F(SimulatorTest, ReadsButDoesNotWriteAVaultInFailover) {  // KV-S7
  start();
  add_fault(R"({"match":{"vault":"main"},"action":"read-only","seconds":60})");
  EXPECT_EQ(vault("PUT", "/secrets/redis", R"({"value":"second"})")->status, 503);
  EXPECT_EQ(vault("GET", "/secrets/redis")->status, 200);
  advance(60);
  EXPECT_EQ(vault("PUT", "/secrets/redis", R"({"value":"second"})")->status, 200);
}

TEST_F(SimulatorTest, AnswersLaterWithADelayAndThrottlesWithAHeader) {  // KV-S6
  start();
  add_fault(R"({"match":{"service":"vault"},"action":"delay","delayMs":1})");
  add_fault(R"({"match":{"service":"vault"},"action":"status","status":429,"code":"Throttled","headers":{"Retry-After":"7"}})");
  const auto reply = vault("GET", "/secrets/redis");
  EXPECT_EQ(reply->status, 429);
  EXPECT_EQ(reply->headers.find("Retry-After"), "7");
  EXPECT_EQ(vault("GET", "/secrets/redis")->status, 200);
}

TEST_F(SimulatorTest, AcceptsARestartAndIgnoresIt) {  // CA-S1
  start();
  add_fault(R"({"action":"ignore"})");
  App& app = *simulator_->cloud().apps.find("orders");
  const std::string before = app.revisions().back().replicas.front().name;
  const Secret arm = simulator_->cloud().tokens.issue(std::string(default_tenant), "keyturn", "https://management.azure.com", clock_.now(),
                                                      std::chrono::hours(1));
  net::HttpRequest request;
  request.method = "POST";
  request.target = SimulatedCloud::apps_path() + "/orders/revisions/" + app.latest_revision() + "/restart?api-version=2025-01-01";
  request.bearer = std::make_shared<const Secret>(arm.clone());
  EXPECT_EQ(send(url("arm"), std::move(request))->status, 200);
  advance(60);
  EXPECT_EQ(app.revisions().back().replicas.front().name, before);
}

TEST_F(SimulatorTest, KeepsAJournalWithoutValuesAndTokens) {  // SIM-4
  start();
  add_fault(R"({"match":{"operation":"vault.set"},"action":"drop-after-effect"})");
  EXPECT_FALSE(vault("PUT", "/secrets/redis", R"({"value":"canary-value"})"));
  const auto entries = admin("GET", "/admin/log");
  const auto lines = admin("GET", "/admin/log?after=1", "", {{"Accept", "text/plain"}});
  EXPECT_EQ(json::parse(entries->body).at_pointer("/entries/1/fault").as_string(), "f1 drop-after-effect");
  EXPECT_NE(lines->body.find("vault.set PUT /secrets/redis by keyturn -> no answer vault=main fault=f1 drop-after-effect"),
            std::string::npos)
      << lines->body;
  EXPECT_EQ(lines->body.find("entra.token"), std::string::npos);
  EXPECT_EQ(entries->body.find("canary-value"), std::string::npos);
}

TEST_F(SimulatorTest, KeepsItsAuthorityAcrossRestarts) {
  start();
  const std::string before = contents_of(simulator_->ca_file());
  client_->close_idle();
  run(stop(*simulator_));
  simulator_.reset();
  start();
  EXPECT_EQ(contents_of(simulator_->ca_file()), before);
  const auto key_mode = std::filesystem::status(directory_.path() / "state" / "ca-key.pem").permissions();
  EXPECT_EQ(key_mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(vault("GET", "/secrets/redis")->status, 200);
}

TEST_F(SimulatorTest, SaysWhichFlagNamesAPortInUse) {
  start();
  SimulatorOptions taken = options();
  taken.port = simulator_->port();
  Simulator second(io_.get_executor(), clock_, random_, taken);
  const auto started = second.start(Secret{});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::Conflict);
  EXPECT_EQ(started.error().message, "--port: port " + std::to_string(taken.port) + " is in use");
}

TEST_F(SimulatorTest, RefusesABadSeedWithItsPlace) {
  for (const auto& [seed, message] :
       {std::pair{"{", "the seed is not valid JSON"}, std::pair{R"({"vaults":[{}]})", "seed: vaults[0].name is missing"}}) {
    Simulator simulator(io_.get_executor(), clock_, random_, options());
    const auto started = simulator.start(Secret::copy_of(seed));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::Invalid);
    EXPECT_EQ(started.error().message, message);
    run(stop(simulator));
  }
}

TEST(CommandLine, ReadsVaultsWithAndWithoutPorts) {
  const char* argv[] = {"keyturn-sim", "--vault", "main=0", "--vault",     "other", "--vault",
                        "third=8443",  "--speed", "60",     "--log-level", "warn"};
  const auto parsed = parse_command_line(static_cast<int>(std::size(argv)), argv);
  ASSERT_TRUE(parsed.command_line);
  ASSERT_EQ(parsed.command_line->options.vaults.size(), 3U);
  EXPECT_EQ(parsed.command_line->options.vaults[1].name, "other");
  EXPECT_EQ(parsed.command_line->options.vaults[2].port, 8443);
  EXPECT_EQ(parsed.command_line->options.speed, 60);
  EXPECT_EQ(parsed.command_line->log_level, log::Level::Warn);
}

TEST(CommandLine, TakesALevelInAnyCaseAndNamesTheLevelsThereAre) {
  const char* capital[] = {"keyturn-sim", "--log-level", "DEBUG"};
  const auto parsed = parse_command_line(static_cast<int>(std::size(capital)), capital);
  ASSERT_TRUE(parsed.command_line);
  EXPECT_EQ(parsed.command_line->log_level, log::Level::Debug);
  const char* wrong[] = {"keyturn-sim", "--log-level", "foo"};
  testing::internal::CaptureStderr();
  const auto refused = parse_command_line(static_cast<int>(std::size(wrong)), wrong);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(refused.exit_code, 2);
  for (const char* word : {"--log-level", "foo", "debug", "info", "warn", "error"}) EXPECT_NE(said.find(word), std::string::npos) << said;
  for (const char c : said) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
}

TEST(CommandLine, ExitsWith2ForWrongFlagsAnd0ForHelpAndVersion) {
  const auto code_of = [](std::initializer_list<const char*> flags) {
    std::vector<const char*> argv{"keyturn-sim"};
    argv.insert(argv.end(), flags);
    const auto parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
    return parsed.command_line ? -1 : parsed.exit_code;
  };
  for (const char* vault : {"=1", "main=", "main=x", "main=70000"}) EXPECT_EQ(code_of({"--vault", vault}), 2) << vault;
  EXPECT_EQ(code_of({"--speed", "0"}), 2);
  EXPECT_EQ(code_of({"--unknown"}), 2);
  EXPECT_EQ(code_of({"--port", "70000"}), 2);
  EXPECT_EQ(code_of({"--help"}), 0);
  EXPECT_EQ(code_of({"--version"}), 0);
}

}  // namespace
}  // namespace keyturn::sim
