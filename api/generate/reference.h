// The pages for people: one per kind, from its schema, and the hazards.
#pragma once

#include <span>
#include <string>

#include "api/hazards.h"
#include "api/schema.h"

namespace keyturn::generate {

std::string reference_page(const api::KindSchema& kind);
std::string reference_index(std::span<const api::KindSchema> kinds);
std::string hazards_page(std::span<const api::hazard::Entry> entries);

}  // namespace keyturn::generate
