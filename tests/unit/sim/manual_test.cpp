// The examples of docs/keyturn-sim.md are taken as they are printed there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/unit/sim/simulated_cloud.h"

namespace keyturn::sim {
namespace {

std::string manual() {
  std::ostringstream text;
  text << std::ifstream(std::string(std::getenv("KEYTURN_SOURCE_DIR")) + "/docs/keyturn-sim.md").rdbuf();
  return text.str();
}

// The JSON block below a heading.
std::string example_below(const std::string& text, const std::string& heading) {
  const std::string opening = "```json\n";
  const std::size_t begin = text.find(opening, text.find("\n## " + heading + "\n")) + opening.size();
  return text.substr(begin, text.find("\n```", begin) - begin);
}

TEST(Manual, PrintsASeedThatIsTaken) {
  SimulatedCloud sim;
  EXPECT_EQ(sim.seed(example_below(manual(), "Seed")), "");
  EXPECT_EQ(sim.cloud().apps.all().size(), 1U);
  EXPECT_TRUE(sim.cloud().vaults.find("main"));
}

TEST(Manual, PrintsAdminRequestsThatAreTaken) {
  const std::string text = manual();
  SimulatedCloud sim;
  ASSERT_EQ(sim.seed(example_below(text, "Seed")), "");
  const std::regex request(R"re(-X POST "?\S*?(/admin/[^"\s]*)"? -d '([^']*)')re");
  int taken = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), request), end; it != end; ++it, ++taken) {
    const Reply reply = sim.admin("POST", (*it)[1], (*it)[2]);
    EXPECT_LT(reply.status, 300) << (*it)[0] << reply.text;
  }
  EXPECT_GE(taken, 4);
}

TEST(Manual, NamesEveryFaultAction) {
  const std::string text = manual();
  for (const FaultAction action :
       {FaultAction::Status, FaultAction::DropBefore, FaultAction::DropAfterEffect, FaultAction::StatusAfterEffect, FaultAction::ApplyLate,
        FaultAction::Delay, FaultAction::ReadOnly, FaultAction::Ignore}) {
    EXPECT_NE(text.find("| `" + std::string(name_of(action)) + "` |"), std::string::npos) << name_of(action);
  }
}

}  // namespace
}  // namespace keyturn::sim
