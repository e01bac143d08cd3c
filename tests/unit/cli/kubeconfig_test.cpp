#include "cli/kubeconfig.h"

#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"
#include "tests/unit/cli/scratch.h"

namespace keyturn {
namespace {

const char* const whole = R"(apiVersion: v1
kind: Config
current-context: standalone
clusters:
- name: local
  cluster: {server: "https://localhost:8443", certificate-authority-data: Q0E=}
users:
- name: admin
  user: {token: the-token}
- name: by-file
  user: {tokenFile: token}
- name: nobody
  user: {}
contexts:
- name: standalone
  context: {cluster: local, user: admin, namespace: erp-dev}
- name: by-file
  context: {cluster: local, user: by-file}
- name: nobody
  context: {cluster: local, user: nobody}
- name: lost
  context: {cluster: gone, user: admin}
)";

struct Kubeconfig : testing::Test {
  Scratch scratch;
  std::map<std::string, std::string> variables{{"HOME", scratch / "home"}};
  Arguments arguments;

  Environment environment() {
    return [this](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
  }
  Result<Connection> read() { return read_connection(arguments, environment()); }
  // Reads `text` as the kubeconfig, and expects an error whose message has `part` in it.
  void refuses(const std::string& text, const std::string& part) {
    arguments.kubeconfig = scratch.write("config", text);
    const Result<Connection> connection = read();
    ASSERT_FALSE(connection) << part;
    EXPECT_NE(connection.error().message.find(part), std::string::npos) << connection.error().message;
    EXPECT_EQ(connection.error().message.find("the-token"), std::string::npos);
  }
  static std::string text_of(const Secret& secret) {
    return secret.expose([](std::string_view bytes) { return std::string(bytes); });
  }
};

TEST_F(Kubeconfig, SaysWhereTheControllerIsWhomToBelieveAndWhoWeAre) {
  arguments.kubeconfig = scratch.write("config", whole);
  const Result<Connection> connection = read();
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->server.origin.host, "localhost");
  EXPECT_EQ(connection->server.origin.port, 8443);
  EXPECT_EQ(connection->ca_pem, "CA");
  EXPECT_EQ(text_of(*connection->token), "the-token");
  EXPECT_EQ(connection->ns, "erp-dev");
}

TEST_F(Kubeconfig, ReadsATokenFileBesideItWithoutItsNewline) {
  arguments.kubeconfig = scratch.write("config", whole);
  arguments.context = "by-file";
  scratch.write("token", "token-in-a-file\n");
  const Result<Connection> connection = read();
  ASSERT_TRUE(connection);
  EXPECT_EQ(text_of(*connection->token), "token-in-a-file");
  EXPECT_EQ(connection->ns, "default");
}

TEST_F(Kubeconfig, FlagsWinOverTheFile) {
  arguments.kubeconfig = scratch.write("config", whole);
  arguments.server = "https://elsewhere:1";
  arguments.token_file = scratch.write("other", "other-token");
  arguments.certificate_authority = scratch.write("ca.pem", "OTHER CA");
  const Result<Connection> connection = read();
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->server.origin.host, "elsewhere");
  EXPECT_EQ(text_of(*connection->token), "other-token");
  EXPECT_EQ(connection->ca_pem, "OTHER CA");
}

TEST_F(Kubeconfig, IsNotNeededWhenFlagsSayAll) {
  arguments.server = "https://localhost:1";
  arguments.token_file = scratch.write("token", "t");
  EXPECT_TRUE(read());
}

TEST_F(Kubeconfig, IsFoundThroughFlagThenVariablesThenHome) {
  EXPECT_EQ(kubeconfig_path(arguments, environment()), scratch / "home/.keyturn/kubeconfig");
  const std::string second = scratch.write("second", whole);
  variables["KUBECONFIG"] = scratch / "missing" + ":" + second;
  EXPECT_EQ(kubeconfig_path(arguments, environment()), second);
  variables["KUBECONFIG"] = scratch / "missing";
  EXPECT_EQ(kubeconfig_path(arguments, environment()), scratch / "missing");
  variables["KEYTURN_KUBECONFIG"] = "ours";
  EXPECT_EQ(kubeconfig_path(arguments, environment()), "ours");
  arguments.kubeconfig = "flag";
  EXPECT_EQ(kubeconfig_path(arguments, environment()), "flag");
}

TEST_F(Kubeconfig, SaysWhatToDoWhenItIsMissing) {
  const Result<Connection> connection = read();
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, Errc::NotFound);
  for (const char* part : {"home/.keyturn/kubeconfig", "--kubeconfig", "KEYTURN_KUBECONFIG", "--token-file"})
    EXPECT_NE(connection.error().message.find(part), std::string::npos) << part;
}

TEST_F(Kubeconfig, SaysWhatIsWrongWithIt) {
  const std::string text = whole;
  const auto with = [&text](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  refuses("a: [", "not valid YAML");
  refuses("the-token: the-token: x", "not valid YAML");
  refuses("just text", "not a kubeconfig");
  refuses("", "not a kubeconfig");
  refuses(with("current-context: standalone", "current-context: other"), "no context \"other\"");
  refuses(with("current-context: standalone", "current-context: lost"), "a cluster");
  refuses(with("current-context: standalone", "current-context: nobody"), "no token");
  refuses(with("current-context: standalone", "current-context: by-file"), "token file cannot be read");
  refuses(with("Q0E=", "'*'"), "not base64");
  refuses(with("certificate-authority-data: Q0E=", "certificate-authority: missing.pem"), "certificate authority cannot be read");
  refuses(with("certificate-authority-data: Q0E=", "insecure-skip-tls-verify: true"), "check of certificates");
  refuses(with("server: \"https://localhost:8443\", ", ""), "names no server");
  refuses(with("https://localhost:8443", "http://example.com"), "https://host:port");
  scratch.write("token", "\n");
  refuses(with("current-context: standalone", "current-context: by-file"), "empty");
}

}  // namespace
}  // namespace keyturn
