#include "controller/server/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/unit/controller/server/fixtures.h"

namespace keyturn {
namespace {

bool has_line(const std::string& text, const std::string& wanted) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line == wanted) return true;
  return false;
}

MetricsSnapshot a_snapshot() {
  MetricsSnapshot snapshot;
  snapshot.now = noon;
  ControllerCounters counters;
  counters.success = 7;
  counters.error = 2;
  counters.workers = 8;
  counters.queue.adds = 9;
  counters.queue.depth[priority_background] = 4;
  counters.queue.longest_running = Duration(1'500);
  counters.reconcile_time.observe(Duration(30));
  snapshot.controllers.emplace_back("rotation", counters);
  snapshot.leader = true;
  snapshot.rotations.push_back(view_of(a_rotation({"erp-dev", "erp-redis"})));
  snapshot.counters.attempts["Succeeded"] = 3;
  return snapshot;
}

TEST(Metrics, HaveTheNamesThatStockDashboardsKnow) {
  const std::string text = metrics_text(a_snapshot());
  for (const char* line : {
           "# TYPE controller_runtime_reconcile_total counter",
           "controller_runtime_reconcile_total{controller=\"rotation\",result=\"success\"} 7",
           "controller_runtime_reconcile_total{controller=\"rotation\",result=\"requeue\"} 0",
           "controller_runtime_reconcile_errors_total{controller=\"rotation\"} 2",
           "controller_runtime_reconcile_panics_total{controller=\"rotation\"} 0",
           "controller_runtime_max_concurrent_reconciles{controller=\"rotation\"} 8",
           "workqueue_depth{name=\"rotation\",controller=\"rotation\",priority=\"-100\"} 4",
           "workqueue_depth{name=\"rotation\",controller=\"rotation\",priority=\"0\"} 0",
           "workqueue_adds_total{name=\"rotation\",controller=\"rotation\"} 9",
           "workqueue_longest_running_processor_seconds{name=\"rotation\",controller=\"rotation\"} 1.5",
           "leader_election_master_status{name=\"keyturn\"} 1",
       })
    EXPECT_TRUE(has_line(text, line)) << line;
}

TEST(Metrics, SayHowOldACredentialIsAndWhenTheNextIsDue) {
  const std::string text = metrics_text(a_snapshot());
  for (const char* line : {
           "keyturn_credential_age_seconds{namespace=\"erp-dev\",name=\"erp-redis\"} 10800",
           "keyturn_next_rotation_timestamp_seconds{namespace=\"erp-dev\",name=\"erp-redis\"} 1803038400",
           "keyturn_last_success_timestamp_seconds{namespace=\"erp-dev\",name=\"erp-redis\"} 1795341600",
           "keyturn_rotation_overdue{namespace=\"erp-dev\",name=\"erp-redis\"} 0",
           "keyturn_condition{namespace=\"erp-dev\",name=\"erp-redis\",type=\"Ready\",status=\"True\"} 1",
           "keyturn_condition{namespace=\"erp-dev\",name=\"erp-redis\",type=\"Ready\",status=\"False\"} 0",
       })
    EXPECT_TRUE(has_line(text, line)) << line;
}

TEST(Metrics, EveryResultHasASeriesFromTheStart) {
  const std::string text = metrics_text({});
  for (const char* line :
       {"keyturn_rotation_attempts_total{result=\"Succeeded\"} 0", "keyturn_rotation_attempts_total{result=\"Blocked\"} 0"})
    EXPECT_TRUE(has_line(text, line)) << line;
  EXPECT_EQ(text.find("leader_election"), std::string::npos);
}

TEST(Metrics, BucketsAreCumulativeAndEndWithInfinity) {
  Histogram histogram({0.1, 1});
  histogram.observe(Duration(50));
  histogram.observe(Duration(500));
  histogram.observe(Duration(5'000));
  MetricsWriter out;
  out.family("x_seconds", MetricsWriter::Type::Histogram, "An example.");
  out.histogram({{"step", "publish"}}, histogram);
  EXPECT_EQ(out.take(),
            "# HELP x_seconds An example.\n"
            "# TYPE x_seconds histogram\n"
            "x_seconds_bucket{step=\"publish\",le=\"0.1\"} 1\n"
            "x_seconds_bucket{step=\"publish\",le=\"1\"} 2\n"
            "x_seconds_bucket{step=\"publish\",le=\"+Inf\"} 3\n"
            "x_seconds_sum{step=\"publish\"} 5.55\n"
            "x_seconds_count{step=\"publish\"} 3\n");
}

TEST(Metrics, LabelValuesCannotBreakOutOfTheirQuotes) {
  MetricsWriter out;
  out.family("x", MetricsWriter::Type::Gauge, "An example.");
  out.sample({{"name", "a\"b\\c\nd"}}, 1);
  EXPECT_NE(out.take().find("x{name=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

TEST(Metrics, EachFamilyIsDeclaredOnce) {
  std::istringstream lines(metrics_text(a_snapshot()));
  std::set<std::string> declared;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("# TYPE")) EXPECT_TRUE(declared.insert(line).second) << line;
  EXPECT_GT(declared.size(), 20U);
}

}  // namespace
}  // namespace keyturn
