#include "api/reasons.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "api/patterns.h"
#include "tests/unit/api/yaml_document.h"

namespace keyturn::api::reason {
namespace {

// The header is the list; whoever adds a word there must say what it means.
std::set<std::string> declared_reasons() {
  const std::string header = test::read_file(test::source_path("api/reasons.h"));
  const std::regex literal(R"re(string_view \w+ = "(\w+)";)re");
  std::set<std::string> reasons;
  for (std::sregex_iterator found(header.begin(), header.end(), literal), end; found != end; ++found) {
    reasons.insert((*found)[1]);
  }
  return reasons;
}

TEST(Reasons, EachDeclaredOneHasExactlyOneEntry) {
  std::set<std::string> listed;
  for (const auto& entry : all()) {
    EXPECT_TRUE(listed.insert(std::string(entry.reason)).second) << entry.reason << " twice";
  }
  EXPECT_EQ(listed, declared_reasons());
  EXPECT_GT(listed.size(), 40U);
}

TEST(Reasons, EachSaysWhatItMeansAndWhatToDo) {
  for (const auto& entry : all()) {
    EXPECT_TRUE(pattern::matches(pattern::condition_reason, entry.reason)) << entry.reason;
    EXPECT_GT(entry.meaning.size(), 20U) << entry.reason;
    EXPECT_TRUE(entry.meaning.ends_with('.')) << entry.reason;
    EXPECT_TRUE(has_page(entry) || entry.action.ends_with('.')) << entry.reason;
  }
}

// A person is needed for each of them, and needs more than a line (the pages themselves are checked by tests/tidy/runbook.py).
TEST(Reasons, WhateverStallsARotationHasAPage) {
  for (const auto& entry : all()) {
    const bool stalls = entry.group == Group::Stalled || entry.group == Group::Blocked;
    EXPECT_TRUE(!stalls || has_page(entry)) << entry.reason;
  }
}

}  // namespace
}  // namespace keyturn::api::reason
