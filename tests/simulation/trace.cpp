#include "tests/simulation/trace.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace keyturn::simulation {

void Trace::note(Duration elapsed, std::string_view who, std::string_view what) {
  const auto ms = elapsed.count();
  fmt::format_to(std::back_inserter(text_), "{:>3}:{:02}:{:02}.{:03} {:<10} {}\n", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                 ms % 1000, who, what);
}

std::string Trace::name_of_value(const std::string& value) {
  const auto next = static_cast<int>(values_.size()) + 1;
  return "value-" + std::to_string(values_.emplace(value, next).first->second);
}

std::string Trace::digest() const { return to_hex(sha256(text_)); }

std::string_view Trace::last_lines(std::size_t count) const {
  std::string_view all(text_);
  std::size_t from = all.size();
  for (std::size_t lines = 0; from > 0 && lines <= count; --from) lines += all[from - 1] == '\n';
  return all.substr(from == 0 ? 0 : from + 1);
}

}  // namespace keyturn::simulation
