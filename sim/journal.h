// What was asked of the simulator and what it answered, for assertions and for people. Never a value, never a token.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <string>

#include "base/time.h"
#include "sim/route.h"

namespace keyturn::sim {

struct JournalEntry {
  std::uint64_t sequence = 0;
  Instant at{};
  Route route;
  std::string method;
  std::string host;
  std::string path;       // without the query
  std::string principal;  // empty = no token, or one nobody issued
  std::string correlation;
  int status = 0;     // 0 = the connection was closed without an answer
  std::string fault;  // "f1 drop-after-effect"
};

class Journal {
 public:
  static constexpr std::size_t entries_max = 10'000;  // older ones are forgotten

  void add(JournalEntry entry);
  const std::deque<JournalEntry>& entries() const noexcept { return entries_; }

 private:
  std::deque<JournalEntry> entries_;
  std::uint64_t sequence_ = 0;
};

boost::json::object shown(const JournalEntry& entry);
// "#12 2026-01-31T10:00:00Z vault.set PUT /secrets/redis by keyturn -> 200"
std::string line_of(const JournalEntry& entry);

}  // namespace keyturn::sim
