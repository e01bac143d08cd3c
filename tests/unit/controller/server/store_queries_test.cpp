#include "controller/server/store_queries.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/server/fixtures.h"

namespace keyturn {
namespace {

const ObjectKey redis{"erp-dev", "erp-redis"};
const Resource rotation_resource{"keyturn.dev", "secretrotations"};

struct StoreQueriesTest : testing::Test, StoreFixture {
  // Changes the stored rotation's revision.
  void change(const ObjectKey& key, const std::string& revision) {
    const Result<StoredPtr> stored = wait(store.get(context(), rotation_resource, key));
    api::SecretRotation rotation = *api::decode_secret_rotation((*stored)->body);
    rotation.spec.revision = revision;
    const Result<StoredPtr> updated = wait(store.update(context(), rotation_resource, key, api::encode(rotation), (*stored)->version));
    ASSERT_TRUE(updated);
  }
  void remove(const ObjectKey& key) {
    const Result<StoredPtr> stored = wait(store.get(context(), rotation_resource, key));
    const Result<StoredPtr> removed = wait(store.remove(context(), rotation_resource, key, (*stored)->version));
    ASSERT_TRUE(removed);
  }
};

TEST_F(StoreQueriesTest, ShowsWhatARotationWantsAndWhereItStands) {
  add(a_rotation(redis));
  const Result<RotationView> view = wait(queries.get(context(), redis));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->key, redis);
  EXPECT_EQ(view->generation, 3);
  EXPECT_EQ(view->environment, "dev");
  EXPECT_EQ(view->secret, "RedisConfiguration--Password");
  EXPECT_EQ(view->wanted_revision, "2026-q4");
  ASSERT_TRUE(view->current);
  EXPECT_EQ(view->current->name, "2026-q4.1");
  EXPECT_EQ(view->current->state, "Current");
  EXPECT_EQ(view->current->vault_version, "6b1f");
  EXPECT_FALSE(view->candidate);
  ASSERT_EQ(view->conditions.size(), 1U);
  EXPECT_EQ(view->conditions[0].status, "True");
  ASSERT_EQ(view->consumers.size(), 1U);
  EXPECT_EQ(view->consumers[0].using_credential, "2026-q4.1");
  EXPECT_EQ(view->resource_version, std::to_string(store.version()));
}

TEST_F(StoreQueriesTest, ShowsTheStepOfARunUnderWay) {
  api::SecretRotation rotation = a_rotation(redis);
  rotation.status.run = "erp-redis-2";
  rotation.status.candidate = api::CredentialStatus{{"2026-q4", 2}, {}, api::CredentialState::Candidate, noon, {}, "Publishing"};
  add(rotation);
  const Result<RotationView> view = wait(queries.get(context(), redis));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->run, "erp-redis-2");
  EXPECT_EQ(view->step, "Publishing");
}

TEST_F(StoreQueriesTest, ListsByNamespaceAndName) {
  add(a_rotation({"erp-stage", "a"}));
  add(a_rotation({"erp-dev", "b"}));
  add(a_rotation({"erp-dev", "a"}));
  const Result<RotationList> all = wait(queries.list(context(), ""));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->rotations.size(), 3U);
  EXPECT_EQ(all->rotations[0].key.to_string(), "erp-dev/a");
  EXPECT_EQ(all->rotations[2].key.to_string(), "erp-stage/a");
  EXPECT_EQ(all->resource_version, std::to_string(store.version()));
  const Result<RotationList> some = wait(queries.list(context(), "erp-stage"));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->rotations.size(), 1U);
}

TEST_F(StoreQueriesTest, ListsMoreThanOneTurnHolds) {
  constexpr std::size_t many = 600;
  for (std::size_t i = 0; i < many; ++i) add(a_rotation({"erp-dev", "r" + std::to_string(i)}));
  EXPECT_EQ(wait(queries.list(context(), ""))->rotations.size(), many);
}

TEST_F(StoreQueriesTest, ShowsAnObjectThatDoesNotDecodeInsteadOfHidingIt) {
  boost::json::object broken = api::encode(a_rotation(redis));
  broken["spec"] = "not an object";
  ASSERT_TRUE(wait(store.create(context(), rotation_resource, redis, broken)));
  const Result<RotationList> all = wait(queries.list(context(), ""));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->rotations.size(), 1U);
  EXPECT_EQ(all->rotations[0].key, redis);
  ASSERT_EQ(all->rotations[0].conditions.size(), 1U);
  EXPECT_EQ(all->rotations[0].conditions[0].status, "Unknown");
}

TEST_F(StoreQueriesTest, SaysWhenARotationDoesNotExist) {
  EXPECT_EQ(wait(queries.get(context(), redis)).error().code, Errc::NotFound);
  EXPECT_EQ(wait(queries.plan(context(), redis, "")).error().code, Errc::NotFound);
  EXPECT_EQ(wait(queries.history(context(), redis, 0)).error().code, Errc::NotFound);
}

TEST_F(StoreQueriesTest, HistoryIsNewestFirstOfThisRotationOnly) {
  add(a_rotation(redis));
  add(a_run(redis, 2, noon - std::chrono::hours(1)));
  add(a_run(redis, 1, noon - std::chrono::hours(9)));
  add(a_run({"erp-dev", "other"}, 3, noon));
  const Result<std::vector<RunView>> all = wait(queries.history(context(), redis, 0));
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].credential, "2026-q4.2");
  EXPECT_EQ((*all)[0].old_credential, "2026-q4.1");
  EXPECT_EQ((*all)[0].phase, "Succeeded");
  EXPECT_EQ((*all)[0].direction, "Forward");
  EXPECT_EQ((*all)[0].incident, "INC-4711");
  ASSERT_EQ((*all)[0].evidence.size(), 1U);
  EXPECT_EQ((*all)[0].evidence[0].what, "fresh login accepted");
  EXPECT_EQ((*all)[1].old_credential, "");
  EXPECT_EQ(wait(queries.history(context(), redis, 1))->size(), 1U);
}

TEST_F(StoreQueriesTest, ARotationThatNeverRanHasAnEmptyHistory) {
  add(a_rotation(redis));
  const Result<std::vector<RunView>> runs = wait(queries.history(context(), redis, 0));
  ASSERT_TRUE(runs);
  EXPECT_TRUE(runs->empty());
}

TEST_F(StoreQueriesTest, RecordsOutliveTheirRotation) {
  add(a_run(redis, 1, noon));
  const Result<std::vector<RunView>> runs = wait(queries.history(context(), redis, 0));
  ASSERT_TRUE(runs);
  EXPECT_EQ(runs->size(), 1U);
}

TEST_F(StoreQueriesTest, VerifiesTheRecordsOfOneRotation) {
  const std::vector<api::RotationRun> runs = a_chain(redis, 6);
  add(a_rotation_that_notes(runs));
  for (const api::RotationRun& run : runs) add(run);
  add(a_run({"erp-dev", "other"}, 3, noon));  // unsealed, and of no concern here
  const Result<VerificationView> view = wait(queries.verify(context(), redis, runs[2].status.record_hash));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->key, redis);
  EXPECT_EQ(view->records, 6);
  EXPECT_EQ(view->head, runs.back().status.record_hash);
  ASSERT_TRUE(view->noted);
  EXPECT_EQ(view->noted->sealed, 6);
  EXPECT_TRUE(view->findings.empty());
}

TEST_F(StoreQueriesTest, FindsWhatIsMissingFromTheJournal) {
  std::vector<api::RotationRun> runs = a_chain(redis, 6);
  add(a_rotation_that_notes(runs));
  for (const std::size_t kept : {0, 1, 3, 4}) add(runs[kept]);
  const Result<VerificationView> view = wait(queries.verify(context(), redis, ""));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->records, 4);
  ASSERT_EQ(view->findings.size(), 2U);
  EXPECT_EQ(view->findings[0].kind, "Removed");
  EXPECT_EQ(view->findings[0].run, "erp-redis-4");
  EXPECT_EQ(view->findings[1].kind, "Truncated");
  EXPECT_NE(view->findings[1].message.find("6 were sealed, 4 are here"), std::string::npos);
}

TEST_F(StoreQueriesTest, VerifiesRecordsThatOutlivedTheirRotation) {
  for (const api::RotationRun& run : a_chain(redis, 2)) add(run);
  const Result<VerificationView> view = wait(queries.verify(context(), redis, ""));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->records, 2);
  EXPECT_FALSE(view->noted);
  EXPECT_TRUE(view->findings.empty());
  EXPECT_EQ(wait(queries.verify(context(), {"erp-dev", "nonsense"}, "")).error().code, Errc::NotFound);
}

TEST_F(StoreQueriesTest, HandsThePlannersAnswerThrough) {
  add(a_rotation(redis));
  const Result<PlanView> plan = wait(queries.plan(context(), redis, ""));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->decision, "Mint");
}

TEST_F(StoreQueriesTest, AFeedStartsWithWhatThereIsAndGoesOnWithEveryChange) {
  add(a_rotation(redis));
  Result<std::unique_ptr<RotationFeed>> feed = wait(queries.subscribe(context(), ""));
  ASSERT_TRUE(feed);
  int woken = 0;
  (*feed)->on_ready([&woken] { ++woken; });
  const std::optional<RotationEventView> first = (*feed)->next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->change, RotationChange::Added);
  EXPECT_FALSE((*feed)->next());

  change(redis, "inc-4711");
  remove(redis);
  run_ready(io);
  EXPECT_GE(woken, 1);
  const std::optional<RotationEventView> second = (*feed)->next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->change, RotationChange::Modified);
  EXPECT_EQ(second->rotation.wanted_revision, "inc-4711");
  const std::optional<RotationEventView> third = (*feed)->next();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->change, RotationChange::Deleted);
  EXPECT_EQ(third->rotation.key, redis);
  EXPECT_FALSE((*feed)->ended());
}

TEST_F(StoreQueriesTest, AFeedOfOneNamespaceIsSilentAboutTheOthers) {
  Result<std::unique_ptr<RotationFeed>> feed = wait(queries.subscribe(context(), "erp-dev"));
  ASSERT_TRUE(feed);
  add(a_rotation({"erp-stage", "a"}));
  add(a_rotation({"erp-dev", "a"}));
  run_ready(io);
  const std::optional<RotationEventView> event = (*feed)->next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->rotation.key.ns, "erp-dev");
  EXPECT_FALSE((*feed)->next());
}

TEST_F(StoreQueriesTest, AReaderThatIsTooSlowIsToldToStartOver) {
  Result<std::unique_ptr<RotationFeed>> feed = wait(queries.subscribe(context(), ""));
  ASSERT_TRUE(feed);
  add(a_rotation(redis));
  for (std::size_t i = 0; i <= RotationFeed::changes_max; ++i) change(redis, "r" + std::to_string(i));
  run_ready(io);
  ASSERT_TRUE((*feed)->ended());
  EXPECT_EQ((*feed)->ended()->code, Errc::Throttled);
  EXPECT_FALSE((*feed)->next());
}

TEST_F(StoreQueriesTest, AFeedEndsAfterItsLastEventWhenTheStoreCloses) {
  add(a_rotation(redis));
  Result<std::unique_ptr<RotationFeed>> feed = wait(queries.subscribe(context(), ""));
  ASSERT_TRUE(feed);
  store.close_watches();
  run_ready(io);
  EXPECT_FALSE((*feed)->ended());
  EXPECT_TRUE((*feed)->next());
  ASSERT_TRUE((*feed)->ended());
  EXPECT_EQ((*feed)->ended()->code, Errc::Unavailable);
}

}  // namespace
}  // namespace keyturn
