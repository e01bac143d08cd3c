#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace keyturn {
namespace {

struct Parsed {
  std::optional<Arguments> arguments;
  int exit_code = -1;
  std::string out;
  std::string err;
};

Parsed parse(std::vector<const char*> argv) {
  Parsed parsed;
  std::ostringstream out;
  std::ostringstream err;
  parsed.arguments = parse_arguments(static_cast<int>(argv.size()), argv.data(), out, err, parsed.exit_code);
  parsed.out = out.str();
  parsed.err = err.str();
  return parsed;
}

TEST(Arguments, StatusTakesANameOrNone) {
  const Parsed all = parse({"keyturn", "status"});
  ASSERT_TRUE(all.arguments);
  EXPECT_EQ(all.arguments->verb, Verb::Status);
  EXPECT_EQ(all.arguments->name, "");
  const Parsed one = parse({"keyturn", "status", "erp-redis", "-n", "erp-dev", "-o", "json"});
  ASSERT_TRUE(one.arguments);
  EXPECT_EQ(one.arguments->name, "erp-redis");
  EXPECT_EQ(one.arguments->ns, "erp-dev");
  EXPECT_EQ(one.arguments->output, Output::Json);
}

TEST(Arguments, EveryVerbIsKnown) {
  const std::pair<std::vector<const char*>, Verb> cases[] = {{{"keyturn", "plan", "x"}, Verb::Plan},
                                                             {{"keyturn", "history", "x", "--limit", "3"}, Verb::History},
                                                             {{"keyturn", "verify", "x", "--file", "runs.json"}, Verb::Verify},
                                                             {{"keyturn", "verify", "-A"}, Verb::Verify},
                                                             {{"keyturn", "watch", "-A"}, Verb::Watch},
                                                             {{"keyturn", "version"}, Verb::Version},
                                                             {{"keyturn", "kubeconfig"}, Verb::Kubeconfig}};
  for (const auto& [argv, verb] : cases) {
    const Parsed parsed = parse(argv);
    ASSERT_TRUE(parsed.arguments) << argv[1] << ": " << parsed.err;
    EXPECT_EQ(parsed.arguments->verb, verb);
  }
}

TEST(Arguments, FlagsSayWhereTheControllerIs) {
  const Parsed parsed = parse({"keyturn", "status", "--server", "https://localhost:1", "--kubeconfig", "k", "--context", "c",
                               "--token-file", "t", "--certificate-authority", "a", "--request-timeout", "3s"});
  ASSERT_TRUE(parsed.arguments) << parsed.err;
  EXPECT_EQ(parsed.arguments->server, "https://localhost:1");
  EXPECT_EQ(parsed.arguments->kubeconfig, "k");
  EXPECT_EQ(parsed.arguments->context, "c");
  EXPECT_EQ(parsed.arguments->token_file, "t");
  EXPECT_EQ(parsed.arguments->certificate_authority, "a");
  EXPECT_EQ(parsed.arguments->request_timeout, Duration(3'000));
}

TEST(Arguments, MistakesAreExplainedAndEndWithOne) {
  const std::vector<const char*> cases[] = {
      {"keyturn"},
      {"keyturn", "rotate"},
      {"keyturn", "plan"},
      {"keyturn", "history"},
      {"keyturn", "status", "--nonsense"},
      {"keyturn", "status", "-o", "yaml"},
      {"keyturn", "status", "-A", "-n", "erp-dev"},
      {"keyturn", "status", "x", "-A"},
      {"keyturn", "verify", "x", "-A"},
      {"keyturn", "verify", "x", "--anchor", "sha256:12"},
      {"keyturn", "verify", "--anchor", "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
      {"keyturn", "history", "x", "--limit", "-1"},
      {"keyturn", "status", "--request-timeout", "soon"},
      {"keyturn", "status", "--request-timeout", "0s"},
  };
  for (const std::vector<const char*>& argv : cases) {
    const Parsed parsed = parse(argv);
    EXPECT_FALSE(parsed.arguments) << argv.back();
    EXPECT_EQ(parsed.exit_code, 1) << argv.back();
    EXPECT_FALSE(parsed.err.empty()) << argv.back();
  }
}

TEST(Arguments, AnUnknownVerbIsNamedAndTheListIsShownTheWay) {
  const Parsed parsed = parse({"keyturn", "rotate", "erp-redis"});
  EXPECT_FALSE(parsed.arguments);
  EXPECT_EQ(parsed.exit_code, 1);
  EXPECT_EQ(parsed.err, "error: unknown command \"rotate\" for \"keyturn\"\nRun 'keyturn --help' for the list of commands.\n");
  EXPECT_EQ(parsed.out, "");
  EXPECT_NE(parse({"kubectl-keyturn", "rotate"}).err.find("unknown command \"rotate\" for \"kubectl keyturn\""), std::string::npos);
}

TEST(Arguments, HelpIsNoMistake) {
  const Parsed parsed = parse({"keyturn", "--help"});
  EXPECT_FALSE(parsed.arguments);
  EXPECT_EQ(parsed.exit_code, 0);
  for (const char* verb : {"status", "plan", "history", "verify", "watch", "version", "kubeconfig"})
    EXPECT_NE(parsed.out.find(verb), std::string::npos) << verb;
}

TEST(Arguments, AsAPluginItSpeaksOfItselfAsKubectlDoes) {
  EXPECT_NE(parse({"/usr/local/bin/kubectl-keyturn", "--help"}).out.find("kubectl keyturn"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
