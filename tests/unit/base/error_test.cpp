#include "base/error.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>

namespace keyturn {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return Error{Errc::Invalid, "number is odd"};
  return number / 2;
}

TEST(Error, NamesEveryCodeOnce) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::Internal); ++code) names.insert(name_of(static_cast<Errc>(code)));
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(name_of(Errc::OutcomeUnknown), "OutcomeUnknown");
}

TEST(Result, HoldsAValueOrAnError) {
  const auto good = half_of(8);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 4);
  const auto bad = half_of(7);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::Invalid);
  EXPECT_EQ(bad.error().message, "number is odd");
  EXPECT_EQ(bad.error().retry_after, std::nullopt);
}

TEST(Result, ThrowsWhenTheValueOfAFailureIsTaken) {
  const auto bad = half_of(7);
  EXPECT_THROW(static_cast<void>(bad.value()), BadResultAccess);
}

TEST(Result, OfNothingIsSuccessOrAnError) {
  EXPECT_TRUE(ok());
  const Result<> failed = Error{Errc::Throttled, "slow down", Duration(1500)};
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().retry_after, Duration(1500));
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(3);
  ASSERT_TRUE(made);
  const std::unique_ptr<int> taken = *std::move(made);
  EXPECT_EQ(*taken, 3);
}

}  // namespace
}  // namespace keyturn
