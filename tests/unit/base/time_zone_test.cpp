#include "base/time_zone.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

Instant at(std::string_view text) { return parse_rfc3339(text).value(); }

void put(std::string& file, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) file += static_cast<char>(value >> shift & 0xff);
}

// A zone file: UTC+1 until 2020, then UTC+2 (or UTC+1 for ever), and what its last line says. Both blocks have data to skip.
std::string zone_file(bool moves, std::string_view last_line) {
  std::string file;
  for (const int bytes : {4, 8}) {
    file += "TZif2" + std::string(15, '\0');
    for (const int count : {2, 2, 1, moves ? 1 : 0, 2, 8}) put(file, static_cast<std::uint64_t>(count), 4);
    if (moves) {
      put(file, 1'577'836'800, bytes);  // 2020-01-01T00:00:00Z
      put(file, 1, 1);
    }
    for (const std::uint64_t offset : {3'600, 7'200}) {
      put(file, offset, 4);
      put(file, 0, 2);
    }
    file += std::string("AAA\0BBB\0", 8) + std::string(static_cast<std::size_t>(bytes) + 4, '\0') + std::string(4, '\0');
  }
  return file += last_line;
}

class ZoneFiles : public testing::Test {
 protected:
  ZoneFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-zones-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ZoneFiles() override { std::filesystem::remove_all(directory_); }

  std::optional<Duration> offset(const std::string& file, std::string_view when) const {
    std::ofstream(directory_ / "Zone", std::ios::binary) << file;
    return SystemTimeZones(directory_.string()).offset_at("Zone", at(when));
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(ZoneFiles, ItsLastLineHoldsAfterTheLastTransitionAndNotBefore) {
  const std::string file = zone_file(true, "\nAAA-5BBB,M3.5.0,M10.5.0\n");
  EXPECT_EQ(offset(file, "2019-07-01T00:00:00Z"), 1h);
  EXPECT_EQ(offset(file, "2020-01-01T00:00:00Z"), 5h);
  EXPECT_EQ(offset(file, "2040-07-01T00:00:00Z"), 6h);
}

TEST_F(ZoneFiles, ItsLastLineHoldsAlwaysWithoutATransition) {
  const std::string file = zone_file(false, "\nAAA-5BBB,M3.5.0,M10.5.0\n");
  EXPECT_EQ(offset(file, "1999-01-01T00:00:00Z"), 5h);
  EXPECT_EQ(offset(file, "2040-07-01T00:00:00Z"), 6h);
}

TEST_F(ZoneFiles, TheLastOffsetHoldsWhereTheLastLineIsNoRule) {
  for (const char* last_line : {"", "\n", "\n\n", "\nAAA-5", "AAA-5\n", "\nAAA-5BBB,M3.5.0\n", "\nnonsense\n"}) {
    EXPECT_EQ(offset(zone_file(true, last_line), "2040-07-01T00:00:00Z"), 2h) << last_line;
    EXPECT_EQ(offset(zone_file(false, last_line), "2040-07-01T00:00:00Z"), 1h) << last_line;
  }
}

TEST_F(ZoneFiles, AFileThatIsCutOffIsNoZone) {
  const std::string file = zone_file(true, "\nAAA-5\n");
  EXPECT_FALSE(offset(file.substr(0, 40), "2040-07-01T00:00:00Z"));
  EXPECT_FALSE(offset(file.substr(0, 140), "2040-07-01T00:00:00Z"));
  EXPECT_FALSE(offset("not a zone at all, but long enough to be a header", "2040-07-01T00:00:00Z"));
}

TEST(SystemTimeZones, KeepDaylightSavingAfter2037) {
  const SystemTimeZones zones;
  EXPECT_EQ(zones.offset_at("Europe/Zurich", at("2030-07-15T12:00:00Z")), 2h);
  EXPECT_EQ(zones.offset_at("Europe/Zurich", at("2040-07-15T12:00:00Z")), 2h);
  EXPECT_EQ(zones.offset_at("Europe/Zurich", at("2040-01-15T12:00:00Z")), 1h);
  EXPECT_EQ(zones.offset_at("America/New_York", at("2040-07-15T12:00:00Z")), -4h);
  EXPECT_EQ(zones.offset_at("America/New_York", at("2040-01-15T12:00:00Z")), -5h);
  EXPECT_EQ(zones.offset_at("Asia/Tokyo", at("2040-07-15T12:00:00Z")), 9h);
}

TEST(SystemTimeZones, KnowNoZoneWithoutAFile) {
  const SystemTimeZones zones;
  for (const char* name : {"", "Nowhere/Land", "../zoneinfo/Europe/Zurich", "/etc/localtime"})
    EXPECT_FALSE(zones.offset_at(name, at("2040-07-15T12:00:00Z"))) << name;
  EXPECT_EQ(zones.offset_at("UTC", at("2040-07-15T12:00:00Z")), 0h);
}

}  // namespace
}  // namespace keyturn
