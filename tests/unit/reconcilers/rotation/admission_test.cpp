#include "reconcilers/rotation/admission.h"

#include <gtest/gtest.h>

#include "reconcilers/rotation/run_target.h"
#include "tests/unit/reconcilers/rotation/test_runs.h"

namespace keyturn {
namespace {

using api::Phase;
using api::TargetKind;

const VersionId latest{"version-now"};
const Instant now = epoch_of_tests + std::chrono::days(30);

api::RotationRun admitted(const api::SecretRotation& rotation, Verb verb, const CredentialName& credential,
                          const std::vector<api::RotationRun>& runs = {}) {
  return admit(rotation, {.verb = verb, .credential = credential}, runs, runs, {}, latest, now);
}

TEST(Identity, NamesTheEnvironmentTheSystemsAndThePrincipalsInAnyOrder) {
  EXPECT_EQ(identity_of(test_rotation({"app_b", "app_a"}).spec), "erp/erp-db:app_a:app_b");
  EXPECT_EQ(identity_of(test_rotation({"app_b", "app_a"}).spec), identity_of(test_rotation({"app_a", "app_b"}).spec));
}

TEST(RunName, IsALabelThatDiffersByIdentityAndGeneration) {
  const std::string name = run_name("ERP/erp-db:app_a", 3);
  EXPECT_TRUE(name.starts_with("erp-erp-db-app-a-")) << name;
  EXPECT_TRUE(name.ends_with("-3")) << name;
  EXPECT_NE(name, run_name("ERP/erp-db:app_a", 4));
  // Two identities that read alike are still two.
  EXPECT_NE(run_name("erp/db:a_b", 1), run_name("erp/db:a-b", 1));
}

TEST(RunName, FitsAnObjectNameHoweverLongTheIdentity) {
  const std::string name = run_name(std::string(2'000, 'x'), 123'456);
  EXPECT_LE(name.size(), 253U);
  EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos);
}

TEST(NextGeneration, IsOneMoreThanAnyOfTheSameSecretOrIdentity) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  EXPECT_EQ(next_generation(spec, {}), 1);
  const std::vector<api::RotationRun> known{test_run(4, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded)};
  EXPECT_EQ(next_generation(spec, known), 5);
  api::SecretRotationSpec edited = spec;
  edited.dependents.push_back({"another-db", {"app_a"}});
  EXPECT_EQ(next_generation(edited, known), 5) << "what is published next must be newer, whoever accepts it";
  api::SecretRotationSpec another = edited;
  another.secret.name = "another";
  EXPECT_EQ(next_generation(another, known), 1);
}

VersionTags tags_of_run(std::int64_t generation) {
  return {.run = "run-" + std::to_string(generation), .generation = generation, .owner = "this-store"};
}

TEST(AheadOfJournal, IsWhatARunPublishedThatIsNotKnown) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  const std::vector<api::RotationRun> known{test_run(4, {"a", 1}, Phase::Succeeded)};
  EXPECT_FALSE(ahead_of_journal(tags_of_run(4), "this-store", spec, known));
  EXPECT_FALSE(ahead_of_journal(tags_of_run(3), "this-store", spec, known)) << "runs may be removed when they are old";
  EXPECT_TRUE(ahead_of_journal(tags_of_run(5), "this-store", spec, known));
  EXPECT_FALSE(ahead_of_journal(tags_of_run(5), "another-store", spec, known)) << "that is a foreign owner, and told as one";
  EXPECT_FALSE(ahead_of_journal({}, "this-store", spec, known));
}

TEST(AheadOfJournal, IsWhatAKnownRunPublishedAfterTheBackup) {
  const api::SecretRotationSpec spec = test_rotation().spec;
  api::RotationRun run = test_run(4, {"a", 1}, Phase::Abandoned);
  run.status.targets = {{.kind = api::TargetKind::Vault, .name = "main", .state = std::string(pending_state)}};
  EXPECT_TRUE(ahead_of_journal(tags_of_run(4), "this-store", spec, {run}));
  run.status.targets.front().state = std::string(intended_state);
  EXPECT_FALSE(ahead_of_journal(tags_of_run(4), "this-store", spec, {run}));
}

TEST(InUseBy, FindsAnUnfinishedRunOfAnotherRotationThatSharesAPrincipalOrASecret) {
  const api::SecretRotation mine = test_rotation();
  api::RotationRun theirs = test_run(1, {"x", 1}, Phase::Rolling);
  theirs.spec.rotation.name = "another";
  EXPECT_NE(in_use_by(mine.spec, mine.meta.key(), {theirs}), nullptr);

  api::RotationRun same_principal = theirs;
  same_principal.spec.frozen.secret.name = "another-secret";
  EXPECT_NE(in_use_by(mine.spec, mine.meta.key(), {same_principal}), nullptr);
  api::RotationRun same_secret = theirs;
  same_secret.spec.frozen.dependents.front().principals = {"somebody"};
  EXPECT_NE(in_use_by(mine.spec, mine.meta.key(), {same_secret}), nullptr);

  api::RotationRun neither = same_principal;
  neither.spec.frozen.dependents.front().principals = {"somebody"};
  EXPECT_EQ(in_use_by(mine.spec, mine.meta.key(), {neither}), nullptr);
  api::RotationRun elsewhere = theirs;
  elsewhere.spec.frozen.environment = "another";
  EXPECT_EQ(in_use_by(mine.spec, mine.meta.key(), {elsewhere}), nullptr);
  api::RotationRun done = theirs;
  done.status.phase = Phase::Succeeded;
  EXPECT_EQ(in_use_by(mine.spec, mine.meta.key(), {done}), nullptr);
  api::RotationRun own = theirs;
  own.spec.rotation = mine.meta.key();
  EXPECT_EQ(in_use_by(mine.spec, mine.meta.key(), {own}), nullptr);
}

TEST(Admit, FreezesTheSpecAndBeginsUntouched) {
  const api::SecretRotation rotation = test_rotation();
  const api::RotationRun run = admitted(rotation, Verb::Mint, {"b", 1}, {test_run(1, {"a", 1}, Phase::Succeeded)});
  EXPECT_EQ(run.spec.frozen, rotation.spec);
  EXPECT_EQ(run.spec.rotation, rotation.meta.key());
  EXPECT_EQ(run.spec.rotation_uid, rotation.meta.uid);
  EXPECT_EQ(run.spec.generation, 2);
  EXPECT_EQ(run.meta.name, run_name(run.spec.identity, 2));
  EXPECT_EQ(run.spec.credential.to_string(), "b.1");
  EXPECT_EQ(run.spec.old_credential.to_string(), "a.1");
  EXPECT_EQ(run.spec.direction, api::Direction::Forward);
  EXPECT_EQ(run.status.phase, Phase::Admitted);
  EXPECT_EQ(run.status.old_version, latest);
  EXPECT_EQ(run.status.started_at, now);
  EXPECT_FALSE(run.status.finished_at);
  ASSERT_EQ(run.status.targets.size(), 4U);
  EXPECT_EQ(run.status.targets[0].kind, TargetKind::Vault);
  EXPECT_EQ(run.status.targets[1].kind, TargetKind::Dependent);
  for (const api::RunTarget& target : run.status.targets) EXPECT_EQ(target.state, "Pending");
}

TEST(Admit, BringsAnEarlierVersionBackForAnActivation) {
  const std::vector<api::RotationRun> runs{test_run(1, {"a", 1}, Phase::Succeeded), test_run(2, {"b", 1}, Phase::Succeeded)};
  const api::RotationRun run = admitted(test_rotation(), Verb::Activate, {"a", 1}, runs);
  EXPECT_EQ(run.spec.direction, api::Direction::Back);
  EXPECT_EQ(run.spec.reuse_version.value, "version-1");
  EXPECT_EQ(run.spec.old_credential.to_string(), "b.1");
}

TEST(Admit, ChangesThePrincipalWhereTwoAlternate) {
  const api::SecretRotation rotation = test_rotation({"app_a", "app_b"});
  const api::RotationRun first = admitted(rotation, Verb::Mint, {"a", 1});
  EXPECT_EQ(first.spec.protocol, api::Protocol::Alternating);
  EXPECT_EQ(first.spec.old_principal, "app_a");
  EXPECT_EQ(first.spec.pending_principal, "app_b");
  const api::RotationRun next = admitted(rotation, Verb::Mint, {"b", 1}, {test_run(1, {"a", 1}, Phase::Succeeded)});
  EXPECT_EQ(next.spec.old_principal, "app_b");
  EXPECT_EQ(next.spec.pending_principal, "app_a");
}

TEST(Admit, KeepsThePrincipalWhereThereIsOne) {
  const api::RotationRun run = admitted(test_rotation(), Verb::Mint, {"a", 1});
  EXPECT_EQ(run.spec.protocol, api::Protocol::Single);
  EXPECT_EQ(run.spec.pending_principal, run.spec.old_principal);
}

TEST(Admit, PutsCanariesFirstAndLeavesTheOthersInOrder) {
  api::SecretRotation rotation = test_rotation();
  rotation.spec.consumers = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
  rotation.spec.strategy.waves.canary = {"c", "b"};
  const api::RotationRun run = admitted(rotation, Verb::Mint, {"a", 1});
  std::string order;
  for (const api::ConsumerRef& consumer : run.spec.frozen.consumers) order += consumer.name;
  EXPECT_EQ(order, "cbad");
}

TEST(Adopt, RecordsWhatIsThereAsDone) {
  const api::RotationRun run = adopt(test_rotation(), {"a", 1}, "app_a", {latest}, 1, {}, now);
  EXPECT_EQ(run.status.phase, Phase::Succeeded);
  EXPECT_EQ(run.status.published_version, latest);
  EXPECT_EQ(run.status.finished_at, now);
  EXPECT_EQ(run.spec.pending_principal, "app_a");
  ASSERT_EQ(run.status.evidence.size(), 1U);
  EXPECT_EQ(run.status.targets.front().version_seen, latest);
  for (const api::RunTarget& target : run.status.targets) EXPECT_EQ(target.state, "Done");
}

TEST(IdlePrincipal, IsTheOtherOfTwo) {
  const api::SecretRotationSpec spec = test_rotation({"app_a", "app_b"}).spec;
  EXPECT_EQ(idle_principal(spec, "app_a"), "app_b");
  EXPECT_EQ(idle_principal(spec, "app_b"), "app_a");
  EXPECT_EQ(idle_principal(test_rotation().spec, "app_a"), "app_a");
}

}  // namespace
}  // namespace keyturn
