// keyturn-sim as people and scripts meet it: a process with flags, a ready file, signals and exit codes.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/child_process.h"

namespace keyturn {
namespace {

std::string program() { return std::string(std::getenv("KEYTURN_BINARY_DIR")) + "/sim/keyturn-sim"; }

std::string contents_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class ProcessTest : public testing::Test {
 protected:
  std::vector<std::string> command(std::initializer_list<std::string> more) {
    std::vector<std::string> out{program(), "--state-dir", (directory_.path() / "state").string()};
    out.insert(out.end(), more);
    return out;
  }
  TemporaryDirectory directory_;
};

TEST_F(ProcessTest, WritesItsReadyFileAndEndsWith0OnSigterm) {
  const auto ready_file = directory_.path() / "ready.json";
  ChildProcess simulator(command({"--vault", "main", "--ready-file", ready_file.string()}), directory_.path());
  ASSERT_TRUE(simulator.wait_for_output("keyturn-sim is ready")) << simulator.output();
  const auto ready = boost::json::parse(contents_of(ready_file)).as_object();
  EXPECT_TRUE(std::filesystem::exists(std::string(ready.at("caFile").as_string())));
  EXPECT_GT(ready.at("vaults").at("main").at("port").as_int64(), 0);
  simulator.signal(SIGTERM);
  EXPECT_EQ(simulator.wait(), 0);
}

TEST_F(ProcessTest, EndsWith1WhenAPortIsInUse) {
  const auto ready_file = directory_.path() / "ready.json";
  ChildProcess first(command({"--ready-file", ready_file.string()}), directory_.path());
  ASSERT_TRUE(first.wait_for_output("keyturn-sim is ready")) << first.output();
  const std::string main(boost::json::parse(contents_of(ready_file)).at("main").as_string());
  const std::string port = main.substr(main.rfind(':') + 1);
  ChildProcess second(command({"--port", port}), directory_.path());
  EXPECT_EQ(second.wait(), 1);
  EXPECT_NE(second.output().find("--port: port " + port + " is in use"), std::string::npos) << second.output();
  first.signal(SIGINT);
  EXPECT_EQ(first.wait(), 0);
}

TEST_F(ProcessTest, EndsWith2ForABadSeedOrFlag) {
  const auto seed = directory_.path() / "seed.json";
  write_file(seed, R"({"vaults":[{"name":"main","secrets":[{"name":"a","value":"canary-value"}]}],"unknown":1})");
  ChildProcess bad_seed(command({"--seed", seed.string()}), directory_.path());
  EXPECT_EQ(bad_seed.wait(), 2);
  EXPECT_NE(bad_seed.output().find("seed: unknown is not known"), std::string::npos) << bad_seed.output();
  EXPECT_EQ(bad_seed.output().find("canary-value"), std::string::npos);
  ChildProcess no_seed(command({"--seed", (directory_.path() / "absent").string()}), directory_.path());
  EXPECT_EQ(no_seed.wait(), 2);
  ChildProcess bad_flag(command({"--explode"}), directory_.path());
  EXPECT_EQ(bad_flag.wait(), 2);
}

TEST_F(ProcessTest, EndsWith1WhenItCannotWriteWhereItWasTold) {
  ChildProcess no_directory({program(), "--state-dir", "/dev/null/state"}, directory_.path());
  EXPECT_EQ(no_directory.wait(), 1);
  ChildProcess no_ready_file(command({"--ready-file", (directory_.path() / "absent" / "ready.json").string()}), directory_.path());
  EXPECT_EQ(no_ready_file.wait(), 1);
}

TEST_F(ProcessTest, TakesADamagedAuthorityAsAnErrorInsteadOfReplacingIt) {
  std::filesystem::create_directories(directory_.path() / "state");
  write_file(directory_.path() / "state" / "ca.pem", "damaged");
  write_file(directory_.path() / "state" / "ca-key.pem", "damaged");
  ChildProcess simulator(command({}), directory_.path());
  EXPECT_EQ(simulator.wait(), 2);
  EXPECT_EQ(contents_of(directory_.path() / "state" / "ca.pem"), "damaged");
}

}  // namespace
}  // namespace keyturn
