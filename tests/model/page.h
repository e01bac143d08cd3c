// docs/model-check.md: every row of the model check and what came of it. Worlds and edges are counted, so that the page is the same on
// every machine; times are not on it.
#pragma once

#include <string>

#include "tests/model/check.h"

namespace keyturn::model {

// "PinTheChoice, QuietBeforePin"; "-" where nothing is taken out, "fixed order" where no planner decides.
std::string removed_in(const Case& one);
// "I3, STUCK", or "-".
std::string violated_in(const Verdict& verdict);

// Explores what was not explored yet.
std::string render_page();

}  // namespace keyturn::model
