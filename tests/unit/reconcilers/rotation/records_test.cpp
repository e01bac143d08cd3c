// What the reconciler leaves behind as records: each run's end seals one behind the last, whatever crashes, and each step has evidence.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "api/record_chain.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using Fault = MemoryRecords::Fault;

api::Verification verified(Site& site) {
  std::vector<api::Record> records;
  for (const api::RotationRun& run : site.records.stored_runs) records.push_back(api::record_of(api::encode(run)));
  return api::verify(std::move(records), {site.object().status.record, {}});
}

void expect_intact(Site& site, std::int64_t records) {
  const api::Verification verification = verified(site);
  for (const api::Finding& finding : verification.findings)
    ADD_FAILURE() << api::name_of(finding.kind) << " " << finding.run << ": " << finding.message;
  EXPECT_EQ(verification.records, records);
  ASSERT_TRUE(site.object().status.record);
  EXPECT_EQ(site.object().status.record->sealed, records);
  EXPECT_EQ(site.object().status.record->hash, verification.head);
}

class RecordsOfEveryProtocol : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, RecordsOfEveryProtocol, testing::Values(Protocol::Single, Protocol::Dual, Protocol::Alternating),
                         [](const auto& protocol) { return std::string(api::name_of(protocol.param)); });

TEST_P(RecordsOfEveryProtocol, AreChainedFromTheAdoptionOn) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.pass();
  expect_intact(site, 1);
  EXPECT_EQ(site.run_record()->status.previous_hash, "");
  std::int64_t records = 1;
  for (const char* revision : {"b", "c"}) {
    const std::string before = site.run_record()->status.record_hash;
    site.want(revision);
    ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
    EXPECT_EQ(site.run_record()->status.previous_hash, before);
    expect_intact(site, ++records);
  }
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  expect_intact(site, ++records);
}

TEST_P(RecordsOfEveryProtocol, SayWhatProvedEachStep) {
  Site site(GetParam());
  ASSERT_TRUE(site.adopt());
  site.want("b");
  std::set<std::string> phases;
  ASSERT_TRUE(site.pass_until([&] {
    const bool brings_in_b = site.run_record()->spec.credential.revision == "b";
    if (brings_in_b && site.phase() != Phase::Admitted) phases.insert(std::string(api::name_of(site.phase())));
    return brings_in_b && site.at_rest();
  }));
  EXPECT_GE(phases.size(), 7U);
  const std::vector<api::Evidence>& evidence = site.run_record()->status.evidence;
  for (const std::string& phase : phases) {
    EXPECT_TRUE(std::any_of(evidence.begin(), evidence.end(), [&](const api::Evidence& one) { return one.step == phase; })) << phase;
  }
  // And each effect outside: stage, install, publish, two consumers, and where two credentials can live the withdrawal.
  EXPECT_GE(evidence.size(), phases.size() + site.effects->done.size());
  EXPECT_TRUE(std::is_sorted(evidence.begin(), evidence.end(), [](const auto& a, const auto& b) { return a.at < b.at; }));
}

TEST_P(RecordsOfEveryProtocol, HoldThroughACrashOrALostRaceAtEveryWrite) {
  for (const Fault fault : {Fault::CrashBefore, Fault::CrashAfter, Fault::Conflict}) {
    for (int at = 1;; ++at) {
      Site site(GetParam());
      site.records.fault = fault;
      site.records.fault_at = at;
      ASSERT_TRUE(site.adopt());
      site.want("b");
      ASSERT_TRUE(site.settle("b.1")) << "write " << at;
      for (int again = 0; again < 5; ++again) site.pass();
      expect_intact(site, 2);
      if (site.records.writes < at) break;
    }
  }
}

TEST(Records, OfAnAbandonedRunAreInTheChain) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.reach(Phase::Staging));
  site.want("2026-q4");
  ASSERT_TRUE(site.pass_until([&] { return site.phase() == Phase::Abandoned; }));
  for (int again = 0; again < 3; ++again) site.pass();
  expect_intact(site, 2);
}

TEST(Records, ThatAreTakenAwayFromTheEndAreMissedAndNotPaperedOver) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  for (const char* revision : {"b", "c"}) {
    site.want(revision);
    ASSERT_TRUE(site.settle(std::string(revision) + ".1"));
  }
  expect_intact(site, 3);
  const api::RecordHead noted = *site.object().status.record;
  site.records.stored_runs.pop_back();
  const auto truncated = [&] {
    const api::Verification verification = verified(site);
    return verification.findings.size() == 1 && verification.findings[0].kind == api::Tampering::Truncated;
  };
  EXPECT_TRUE(truncated());
  for (int again = 0; again < 5; ++again) site.pass();
  EXPECT_TRUE(truncated()) << "passes after it do not forget";
  EXPECT_EQ(site.object().status.record, noted);
}

TEST(Records, OfALostStatusAreNotedAgain) {
  Site site(Protocol::Dual);
  ASSERT_TRUE(site.adopt());
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  site.object().status = {};
  for (int again = 0; again < 3; ++again) site.pass();
  expect_intact(site, 2);
}

}  // namespace
}  // namespace keyturn
