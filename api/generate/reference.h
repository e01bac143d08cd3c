// The pages for people: one per kind, from its schema, and the runbook, from the reasons.
#pragma once

#include <span>
#include <string>

#include "api/reasons.h"
#include "api/schema.h"

namespace keyturn::generate {

std::string reference_page(const api::KindSchema& kind);
std::string reference_index(std::span<const api::KindSchema> kinds);
std::string runbook(std::span<const api::reason::Entry> entries);

}  // namespace keyturn::generate
