#include "api/patterns.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "api/schema.h"

namespace keyturn::api::pattern {
namespace {

void each_schema(const Schema& schema, const std::function<void(const Schema&)>& visit) {
  visit(schema);
  for (const auto& property : schema.properties) {
    each_schema(property.schema, visit);
  }
  if (schema.items != nullptr) {
    each_schema(*schema.items, visit);
  }
}

std::set<std::string> patterns_in_use() {
  std::set<std::string> patterns;
  for (const auto& kind : kinds()) {
    for (const auto* root : {&kind.spec, &kind.status}) {
      each_schema(*root, [&patterns](const Schema& schema) {
        if (!schema.pattern.empty()) {
          patterns.insert(schema.pattern);
        }
      });
    }
  }
  return patterns;
}

// Texts near to what the patterns are about, and what can be made of them by small changes.
std::vector<std::string> corpus() {
  std::vector<std::string> texts = {"",
                                    "a",
                                    "-",
                                    "dev",
                                    "erp-dev",
                                    "a.b",
                                    "A_b-3",
                                    "2026-q4",
                                    "INC-4711",
                                    "ConnectionStrings--DefaultConnection",
                                    "*",
                                    "Db--*",
                                    "ab",
                                    "a-b",
                                    "mic-erp-be-dev-skv",
                                    "abcdefghijklmnopqrstuvwx",
                                    "abcdefghijklmnopqrstuvwxy",
                                    "erp_user_a",
                                    "a@b.c",
                                    "x y",
                                    "1h",
                                    "1h30m",
                                    "250ms",
                                    "1.5h",
                                    "1.h",
                                    ".5h",
                                    "1m1s1ms",
                                    "1msm",
                                    "h",
                                    "90d",
                                    "02:00",
                                    "23:59",
                                    "24:00",
                                    "19:60",
                                    "2:00",
                                    "UTC",
                                    "Europe/Berlin",
                                    "Etc/GMT+1",
                                    "../x",
                                    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                                    "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
                                    "00000000-0000-0000-0000-000000000000",
                                    "00000000-0000-0000-0000-00000000000",
                                    "https://localhost:8443",
                                    "https://[::1]:8443",
                                    "http://a",
                                    "https://a/b?c=d&e=%20",
                                    "https://a:",
                                    "https://a:123456",
                                    "https://u@a",
                                    "https://",
                                    "https://a/#x",
                                    "host.example.com",
                                    "::1",
                                    "fe80::1",
                                    "1.2.3.4",
                                    "a:1",
                                    "[::1]:6379",
                                    "[]:1",
                                    "/",
                                    "/srv/erp/.env",
                                    "/srv/..",
                                    "/srv/../x",
                                    "/srv//x",
                                    "srv",
                                    "/.",
                                    "/..a",
                                    "/a.",
                                    "XApiKey",
                                    "_x",
                                    "9x",
                                    "ssh-ed25519 AAAAC3Nz",
                                    "ssh-ed25519 AAAA==",
                                    "ssh-ed25519 AAAA===",
                                    "ssh-ed25519  AAAA",
                                    "ecdsa-sha2-nistp256 AA+/",
                                    "ssh-dss AAAA",
                                    "rg_(1).x",
                                    "User Id",
                                    "/redis/password",
                                    "/a//b",
                                    "Ready",
                                    "CurrentVerified",
                                    "A:",
                                    "A,b:c_",
                                    "a\n",
                                    "\xc3\xa4"};
  std::mt19937 random(4711);
  const std::string alphabet = "aA0-_.:/* @=[]hms\n%";
  const auto pick = [&random](std::size_t size) { return std::uniform_int_distribution<std::size_t>(0, size - 1)(random); };
  const std::size_t originals = texts.size();
  for (std::size_t round = 0; round < 3000; ++round) {
    std::string text = texts[pick(originals)];
    const char c = alphabet[pick(alphabet.size())];
    const std::size_t at = pick(text.size() + 1);
    switch (pick(3)) {
      case 0:
        text.insert(at, 1, c);
        break;
      case 1:
        text = text.substr(0, at);
        break;
      default:
        if (!text.empty()) {
          text[at % text.size()] = c;
        }
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(Patterns, EveryOneOfASchemaHasAMatcher) {
  for (const auto& pattern : patterns_in_use()) {
    EXPECT_TRUE(known(pattern)) << pattern;
  }
}

TEST(Patterns, MatchersAgreeWithTheRegularExpression) {
  const auto texts = corpus();
  for (const auto& pattern : patterns_in_use()) {
    const std::regex expression(pattern, std::regex::ECMAScript);
    std::size_t matching = 0;
    for (const auto& text : texts) {
      const bool expected = std::regex_match(text, expression);
      matching += expected ? 1 : 0;
      ASSERT_EQ(matches(pattern, text), expected) << pattern << " on: " << text;
    }
    EXPECT_GT(matching, 0U) << pattern;
    EXPECT_LT(matching, texts.size()) << pattern;
  }
}

TEST(Patterns, AnUnknownOneMatchesNothing) {
  EXPECT_FALSE(known("^.*$"));
  EXPECT_FALSE(matches("^.*$", "anything"));
}

}  // namespace
}  // namespace keyturn::api::pattern
