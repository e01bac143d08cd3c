#include "api/hazards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "tests/unit/api/yaml_document.h"

namespace keyturn::api::hazard {
namespace {

bool is_reason(std::string_view word) {
  const auto reasons = reason::all();
  return std::any_of(reasons.begin(), reasons.end(), [&](const reason::Entry& entry) { return entry.reason == word; });
}

// The header is the list; whoever adds a word there must say what it means.
std::size_t declared_hazards() {
  const std::string header = test::read_file(test::source_path("api/hazards.h"));
  const std::regex declaration(R"re(constexpr std::string_view \w+ = )re");
  return static_cast<std::size_t>(std::distance(std::sregex_iterator(header.begin(), header.end(), declaration), std::sregex_iterator()));
}

TEST(HazardList, HasOneEntryForEachDeclaredWord) {
  std::set<std::string_view> listed;
  for (const Entry& entry : all()) EXPECT_TRUE(listed.insert(entry.hazard).second) << entry.hazard << " twice";
  EXPECT_EQ(listed.size(), declared_hazards());
}

TEST(HazardList, SaysWhatEachMeansAndWhatToDo) {
  const std::set<std::string_view> severities{"Blocking", "Warning", "Info", "Blocking, Warning", "Warning, Info"};
  for (const Entry& entry : all()) {
    EXPECT_TRUE(severities.contains(entry.severity)) << entry.hazard;
    EXPECT_TRUE(entry.meaning.ends_with('.')) << entry.hazard;
    EXPECT_TRUE(entry.action.ends_with('.')) << entry.hazard;
  }
}

TEST(HazardList, UsesForWhatBlocksTheReasonOfTheStalledCondition) {
  for (const Entry& entry : all()) {
    if (entry.severity.starts_with("Blocking")) {
      EXPECT_TRUE(is_reason(entry.hazard)) << entry.hazard;
    }
  }
}

}  // namespace
}  // namespace keyturn::api::hazard
