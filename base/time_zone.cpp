#include "base/time_zone.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>

namespace keyturn {
namespace {

// Big-endian reader over a zone file; reading past the end gives zeros and is noticed by `ok`.
class Bytes {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | next();
    return value;
  }
  std::int32_t int32() { return static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))); }
  void skip(std::size_t bytes) { at_ += bytes; }
  bool ok() const { return at_ <= data_.size(); }
  // What stands between two line feeds from here on; empty when they are not there.
  std::string_view line() const {
    const std::string_view rest = data_.substr(std::min(at_, data_.size()));
    if (!rest.starts_with('\n')) return {};
    const std::size_t end = rest.find('\n', 1);
    return end == std::string_view::npos ? std::string_view{} : rest.substr(1, end - 1);
  }

 private:
  std::uint8_t next() { return at_ < data_.size() ? static_cast<std::uint8_t>(data_[at_++]) : (++at_, 0); }
  std::string_view data_;
  std::size_t at_ = 0;
};

struct Counts {
  std::size_t isut, isstd, leaps, times, types, chars;
};
Counts read_counts(Bytes& in) {
  in.skip(20);  // magic, version, reserved
  Counts counts{};
  for (std::size_t* field : {&counts.isut, &counts.isstd, &counts.leaps, &counts.times, &counts.types, &counts.chars}) {
    *field = static_cast<std::size_t>(in.number(4));
  }
  return counts;
}
constexpr std::size_t counts_max = 10'000;

bool plausible_name(std::string_view zone) {
  const bool characters = std::all_of(zone.begin(), zone.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
  });
  return characters && !zone.empty() && zone.front() != '/' && zone.size() < 64;
}

}  // namespace

std::shared_ptr<const SystemTimeZones::Zone> SystemTimeZones::load(std::string_view zone) const {
  if (!plausible_name(zone)) return nullptr;
  std::ifstream file(directory_ + "/" + std::string(zone), std::ios::binary);
  const std::string data((std::istreambuf_iterator<char>(file)), {});
  if (data.size() < 44 || data.compare(0, 4, "TZif") != 0 || data[4] < '2') return nullptr;
  Bytes in(data);
  const Counts old = read_counts(in);  // the 32-bit block of version 1, skipped
  in.skip(old.times * 5 + old.types * 6 + old.chars + old.leaps * 8 + old.isstd + old.isut);
  const Counts counts = read_counts(in);
  if (counts.times > counts_max || counts.types > counts_max || counts.types == 0) return nullptr;
  std::vector<std::int64_t> times(counts.times);
  for (auto& time : times) time = static_cast<std::int64_t>(in.number(8));
  std::vector<std::size_t> types(counts.times);
  for (auto& type : types) type = static_cast<std::size_t>(in.number(1));
  std::vector<Duration> offsets(counts.types);
  for (auto& offset : offsets) {
    offset = std::chrono::seconds(in.int32());
    in.skip(2);
  }
  if (!in.ok()) return nullptr;
  in.skip(counts.chars + counts.leaps * 12 + counts.isstd + counts.isut);
  auto made = std::make_shared<Zone>();
  made->rule = PosixTimeZone::parse(in.line());
  made->transitions.push_back({Instant{Duration{std::numeric_limits<Duration::rep>::min()}}, offsets.front()});
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (types[i] >= offsets.size() || times[i] < -std::int64_t{1} << 40) continue;
    made->transitions.push_back({Instant{std::chrono::seconds(times[i])}, offsets[types[i]]});
  }
  return made;
}

std::optional<Duration> SystemTimeZones::offset_at(std::string_view zone, Instant at) const {
  if (auto utc = UtcOnly().offset_at(zone, at)) return utc;
  auto known = loaded_.find(zone);
  if (known == loaded_.end()) known = loaded_.emplace(std::string(zone), load(zone)).first;
  if (!known->second) return {};
  const auto& [transitions, rule] = *known->second;
  const auto after = std::upper_bound(transitions.begin(), transitions.end(), at,
                                      [](Instant moment, const Transition& transition) { return moment < transition.from; });
  return after == transitions.end() && rule ? rule->offset_at(at) : std::prev(after)->offset;
}

}  // namespace keyturn
