#include "controller/runtime/histogram.h"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(Histogram, ABoundBelongsToItsOwnBucket) {
  Histogram histogram({0.1, 1.0});
  histogram.observe(Duration(100));
  histogram.observe(Duration(101));
  histogram.observe(Duration(1000));
  histogram.observe(Duration(1001));
  EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{1, 2, 1}));
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_DOUBLE_EQ(histogram.sum_seconds(), 0.1 + 0.101 + 1 + 1.001);
}

TEST(Histogram, StartsAtZeroInEveryBucket) {
  const Histogram histogram = Histogram::of_queue();
  EXPECT_EQ(histogram.bounds().size(), 12U);
  EXPECT_EQ(histogram.counts(), std::vector<std::uint64_t>(13, 0));
}

TEST(Histogram, TheBoundsAreAscending) {
  for (const Histogram& histogram : {Histogram::of_queue(), Histogram::of_reconciles()}) {
    for (std::size_t i = 1; i < histogram.bounds().size(); ++i) EXPECT_LT(histogram.bounds()[i - 1], histogram.bounds()[i]);
  }
}

}  // namespace
}  // namespace keyturn
