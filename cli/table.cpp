#include "cli/table.h"

#include <algorithm>
#include <utility>

namespace keyturn {
namespace {

// Columns that a text takes: one per code point, which is right for everything that names may contain.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

constexpr std::size_t gap = 3;  // as kubectl has it

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters, too; in UTF-8 they are 0xC2 and a second byte.
    const bool second_half = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || second_half)
      out.push_back('?');
    else
      out.push_back(text[i]);
    if (second_half) ++i;
  }
  return out;
}

Table::Table(Cells header) : header_(std::move(header)), widths_(header_.size()) { fit(header_); }

void Table::fit(const Cells& row) {
  for (std::size_t i = 0; i < row.size(); ++i) widen(i, width_of(row[i]));
}

void Table::widen(std::size_t column, std::size_t width) { widths_.at(column) = std::max(widths_.at(column), width); }

void Table::add(Cells cells) {
  for (std::string& cell : cells) cell = cell.empty() ? "<none>" : printable(cell);
  fit(cells);
  rows_.push_back(std::move(cells));
}

void Table::print_row(std::ostream& out, const Cells& row, std::string_view indent) const {
  out << indent;
  for (std::size_t i = 0; i < row.size(); ++i) {
    out << row[i];
    if (i + 1 < row.size()) out << std::string(widths_[i] - width_of(row[i]) + gap, ' ');
  }
  out << '\n';
}

void Table::print(std::ostream& out, std::string_view indent) const {
  print_row(out, header_, indent);
  for (const Cells& row : rows_) print_row(out, row, indent);
}

void Table::stream(std::ostream& out, Cells cells) {
  add(std::move(cells));
  if (!std::exchange(header_printed_, true)) print_row(out, header_, "");
  print_row(out, rows_.back(), "");
  rows_.clear();
}

}  // namespace keyturn
