// The pages for people: one per kind, from its schema.
#pragma once

#include <span>
#include <string>

#include "api/schema.h"

namespace keyturn::generate {

std::string reference_page(const api::KindSchema& kind);
std::string reference_index(std::span<const api::KindSchema> kinds);

}  // namespace keyturn::generate
