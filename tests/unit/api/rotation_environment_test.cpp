#include "api/rotation_environment.h"

#include <gtest/gtest.h>

#include <string>

namespace keyturn::api {
namespace {

TEST(Timing, QuarantineIsTheSumOfItsTermsWithTheLeaseStretched) {
  EXPECT_EQ(Timing{}.quarantine(), Duration(15'750 + 1'000 + 10'000 + 120'000));
  Timing odd;
  odd.lease = Duration(1);
  odd.issue = odd.request = odd.server_residual = Duration(0);
  EXPECT_EQ(odd.quarantine(), Duration(2)) << "a part of a millisecond counts as a whole one";
}

struct PatternCase {
  std::string pattern;
  std::string text;
  bool matches;
};

TEST(Pattern, AStarStandsForAnyRunOfCharacters) {
  const PatternCase cases[] = {
      {"*", "", true},
      {"*", "anything", true},
      {"", "", true},
      {"", "a", false},
      {"XApiKey", "XApiKey", true},
      {"XApiKey", "xapikey", false},
      {"XApiKey", "XApiKey2", false},
      {"ConnectionStrings--*", "ConnectionStrings--DefaultConnection", true},
      {"ConnectionStrings--*", "ConnectionStrings--", true},
      {"ConnectionStrings--*", "ConnectionStrings-", false},
      {"*--Password", "RabbitMq--Password", true},
      {"*--Password", "RabbitMq--Password2", false},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "abc", true},
      {"a*b*c", "ac", false},
      {"**", "x", true},
      {"a**b", "ab", true},
      {".", "x", false},
      {"a?c", "abc", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(matches_pattern(c.pattern, c.text), c.matches) << c.pattern << " " << c.text;
  }
}

TEST(Pattern, TakesNoLongTimeForAHostileOne) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "a*";
  }
  EXPECT_FALSE(matches_pattern(pattern + "b", std::string(2000, 'a')));
}

RotationEnvironmentSpec environment() {
  RotationEnvironmentSpec spec;
  spec.vaults = {{.name = "main", .vault = "kv-dev", .secrets = {"Db--*", "Key"}, .staging = true}};
  spec.systems = {{.name = "sql", .type = "PostgreSql"}, {.name = "cache", .type = "RedisAcl"}};
  spec.consumers = {{.name = "portal", .type = "ContainerApp"}, {.name = "worker", .type = "ContainerApp"}};
  spec.bindings = {{.namespaces = {"team-a"}, .secrets = {"Db--*"}, .systems = {"sql"}, .consumers = {"*"}},
                   {.namespaces = {"team-*"}, .secrets = {"Key"}, .systems = {"cache", "ghost"}, .consumers = {"portal", "ghost"}}};
  return spec;
}

TEST(Authority, GivesWhatOneBindingNames) {
  EXPECT_TRUE(allows(environment(), "team-a", "main", "Db--Main", {"sql"}, {"portal", "worker"}));
  EXPECT_TRUE(allows(environment(), "team-b", "main", "Key", {"cache"}, {"portal"}));
  EXPECT_TRUE(allows(environment(), "team-b", "main", "Key", {}, {}));
}

TEST(Authority, DeniesByDefault) {
  EXPECT_FALSE(allows({}, "team-a", "main", "Db--Main", {}, {}));
  EXPECT_FALSE(allows(environment(), "other", "main", "Db--Main", {"sql"}, {"portal"})) << "namespace";
  EXPECT_FALSE(allows(environment(), "", "main", "Db--Main", {}, {})) << "no namespace";
  EXPECT_FALSE(allows(environment(), "team-a", "main", "Other", {}, {})) << "secret that the vault does not have";
  EXPECT_FALSE(allows(environment(), "team-b", "main", "Db--Main", {}, {})) << "secret of another team";
  EXPECT_FALSE(allows(environment(), "team-b", "main", "Key", {"sql"}, {})) << "system of another team";
  EXPECT_FALSE(allows(environment(), "team-b", "main", "Key", {}, {"worker"})) << "consumer of another team";
}

TEST(Authority, DoesNotAddUpSeveralBindings) { EXPECT_FALSE(allows(environment(), "team-a", "main", "Db--Main", {"sql", "cache"}, {})); }

TEST(Authority, DeniesWhatDoesNotExistEvenWhereABindingNamesIt) {
  EXPECT_FALSE(allows(environment(), "team-a", "nowhere", "Db--Main", {}, {}));
  EXPECT_FALSE(allows(environment(), "team-b", "main", "Key", {"ghost"}, {}));
  EXPECT_FALSE(allows(environment(), "team-b", "main", "Key", {}, {"ghost"}));
}

}  // namespace
}  // namespace keyturn::api
