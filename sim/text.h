// Comparison as Azure does it: names and path words without regard to ASCII case.
#pragma once

#include <string>
#include <string_view>

namespace keyturn::sim {

std::string lower(std::string_view text);
bool same_word(std::string_view left, std::string_view right) noexcept;

}  // namespace keyturn::sim
