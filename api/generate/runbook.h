// The index of the runbook, from the reasons. The pages beside it are written by hand.
#pragma once

#include <span>
#include <string>

#include "api/reasons.h"

namespace keyturn::generate {

// docs/runbook/README.md: every reason in its group, with a link where it has a page and its one line where it has none.
std::string runbook_index(std::span<const api::reason::Entry> entries);

}  // namespace keyturn::generate
