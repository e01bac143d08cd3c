// All that the model check explores. The ids A to E and R are those of the protocol's tables of scenarios and of rollback runs, W are its
// waits, each removed on its own; G are guards of the planner that those tables do not name.
#pragma once

#include <vector>

#include "tests/model/check.h"

namespace keyturn::model {

std::vector<Case> credential_cases();  // the caller chooses the value
std::vector<Case> minted_cases();      // the provider does
std::vector<Case> shared_cases();      // shared keys, and several vaults
std::vector<Case> scripted_cases();    // fixed orders that no planner guards

// All of them, by chapter and number.
const std::vector<Case>& catalogue();
// Explored once per process, with the case's guards taken out meanwhile.
const Verdict& verdict_of(const Case& one);

}  // namespace keyturn::model
