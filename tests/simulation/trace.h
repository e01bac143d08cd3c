// What happened in one world, one line per event: virtual time, who, what. Two runs of a seed are equal when their traces are.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace keyturn::simulation {

class Trace {
 public:
  // `elapsed` is the world's own time since it began.
  void note(Duration elapsed, std::string_view who, std::string_view what);

  // A value as a trace may name it: "value-3", in order of first appearance. Values themselves never stand in a trace.
  std::string name_of_value(const std::string& value);

  const std::string& text() const noexcept { return text_; }
  std::string digest() const;
  std::string_view last_lines(std::size_t count) const;

 private:
  std::string text_;
  std::map<std::string, int> values_;
};

}  // namespace keyturn::simulation
