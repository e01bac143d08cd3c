// Text for a terminal: columns as kubectl prints them, and text of others made harmless.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

// Control characters become '?': what a server says must not move the cursor or colour the screen.
std::string printable(std::string_view text);

class Table {
 public:
  // As many cells as the header has; an empty one is shown as <none>.
  using Cells = std::vector<std::string>;

  explicit Table(Cells header);
  void add(Cells cells);
  bool empty() const noexcept { return rows_.empty(); }
  void print(std::ostream& out, std::string_view indent = "") const;

  // Instead of add and print, for rows that come one by one: columns only ever grow. The first row prints the header before it.
  void stream(std::ostream& out, Cells cells);
  void widen(std::size_t column, std::size_t width);

 private:
  void fit(const Cells& row);
  void print_row(std::ostream& out, const Cells& row, std::string_view indent) const;

  Cells header_;
  std::vector<Cells> rows_;
  std::vector<std::size_t> widths_;
  bool header_printed_ = false;
};

}  // namespace keyturn
