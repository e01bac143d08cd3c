// The first credential of a secret that no vault has ever had.
#include <gtest/gtest.h>

#include <string>

#include "api/reasons.h"
#include "tests/unit/reconcilers/rotation/site.h"

namespace keyturn {
namespace {

using api::Phase;
using api::Protocol;
using std::chrono::seconds;
namespace reason = api::reason;

// A principal that exists with a password that nobody wrote down, and no secret.
class EmptySite : public Site {
 public:
  explicit EmptySite(Protocol protocol = Protocol::Single) : Site(protocol) {
    vault->secrets.clear();
    object().spec.secret.format = {};
    for (const auto& consumer : consumers) consumer->loaded = {};
    for (const auto& consumer : consumers) consumer->before = ConsumerState::Unhealthy;  // it has nothing to start with
  }
  bool settle_first() { return settle("2026-q4.1"); }
  bool is_published() const { return vault->secrets.contains(secret_name); }
  // What is published is accepted, from its first moment on.
  void watch_what_is_published() {
    effects->after_each = [this](const std::string& what) {
      if (is_published()) EXPECT_TRUE(published_is_accepted()) << "after " << what;
    };
  }
  bool published_is_accepted() const {
    const auto values = dependent->accepted.find("app_a");
    return values != dependent->accepted.end() &&
           std::any_of(values->second.begin(), values->second.end(), [&](const Secret& one) { return one.equals(published()); });
  }
};

void expect_first_one_in_force(EmptySite& site) {
  ASSERT_EQ(site.phase(), Phase::Succeeded);
  ASSERT_TRUE(site.is_published());
  EXPECT_TRUE(site.published_is_accepted());
  EXPECT_TRUE(site.consumers_use_what_is_published());
  EXPECT_TRUE(site.everything_staged_is_disabled());
}

TEST(Bootstrap, MakesTheFirstCredentialOfASecretThatIsNotThere) {
  for (const Protocol protocol : {Protocol::Single, Protocol::Dual}) {
    EmptySite site(protocol);
    site.watch_what_is_published();
    ASSERT_TRUE(site.settle_first());
    expect_first_one_in_force(site);
    const std::vector<std::string> expected{"stage", "install erp-db", "publish", "converge portal", "converge inventory"};
    EXPECT_EQ(site.effects->done, expected);
    EXPECT_TRUE(site.run_record()->spec.bootstrap);
    EXPECT_EQ(site.run_record()->spec.generation, 1);
    EXPECT_EQ(site.reason_of("Ready"), reason::current_verified);
    EXPECT_EQ(site.object().status.current->name.to_string(), "2026-q4.1");
  }
}

TEST(Bootstrap, IsFollowedByOrdinaryRotations) {
  EmptySite site;
  ASSERT_TRUE(site.settle_first());
  for (const auto& consumer : site.consumers) consumer->before = ConsumerState::Proven;
  const Secret first = site.published().clone();
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_FALSE(site.run_record()->spec.bootstrap);
  EXPECT_EQ(site.run_record()->spec.old_credential.to_string(), "2026-q4.1");
  EXPECT_FALSE(site.published().equals(first));
  site.want("2026-q4");
  ASSERT_TRUE(site.settle("2026-q4.1"));
  EXPECT_TRUE(site.published().equals(first));
}

TEST(Bootstrap, SurvivesACrashAtEveryWriteOfTheJournal) {
  EmptySite undisturbed;
  ASSERT_TRUE(undisturbed.settle_first());
  const int writes = undisturbed.records.writes;
  for (const auto fault : {MemoryRecords::Fault::CrashBefore, MemoryRecords::Fault::CrashAfter, MemoryRecords::Fault::Conflict}) {
    for (int nth = 1; nth <= writes && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at write " + std::to_string(nth));
      EmptySite site;
      site.watch_what_is_published();
      site.records.fault = fault;
      site.records.fault_at = nth;
      ASSERT_TRUE(site.settle_first());
      expect_first_one_in_force(site);
      EXPECT_EQ(site.records.stored_runs.size(), 1U);
    }
  }
}

TEST(Bootstrap, SurvivesALostReplyAFailureAndACrashAtEveryEffect) {
  for (const auto fault : {Effects::Fault::LostReply, Effects::Fault::NotSent, Effects::Fault::Crash}) {
    for (int nth = 1; nth <= 5 && !testing::Test::HasFailure(); ++nth) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at effect " + std::to_string(nth));
      EmptySite site;
      site.watch_what_is_published();
      site.effects->fault = fault;
      site.effects->fault_at = nth;
      ASSERT_TRUE(site.settle_first());
      expect_first_one_in_force(site);
    }
  }
}

TEST(Bootstrap, MakesAKeySetForServicesThatShareAKey) {
  EmptySite site;
  api::SecretRotationSpec& spec = site.object().spec;
  spec.secret_class = api::SecretClass::SharedKey;
  spec.secret.format = {api::FormatType::KeySet, {}, {}};
  spec.dependents.clear();
  ASSERT_TRUE(site.settle_first());
  EXPECT_EQ(site.phase(), Phase::Succeeded);
  site.published().expose([](std::string_view text) { EXPECT_TRUE(text.starts_with(R"({"send":")")); });
  for (const auto& consumer : site.consumers) consumer->before = ConsumerState::Proven;
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  EXPECT_EQ(site.run_record()->spec.protocol, Protocol::SharedKey);
}

// ---- what is refused, with nothing written -----------------------------------------------------------------------------------

void expect_refused(EmptySite& site, std::string_view why) {
  for (int count = 0; count < 3; ++count) site.pass();
  EXPECT_EQ(site.reason_of("Stalled"), why);
  EXPECT_EQ(site.effects->count, 0);
  EXPECT_TRUE(site.records.stored_runs.empty());
}

TEST(Bootstrap, IsRefusedWhereTheFormatEditsAValueThatIsThere) {
  for (const api::FormatType type : {api::FormatType::Json, api::FormatType::Url, api::FormatType::AdoNetConnectionString}) {
    EmptySite site;
    site.object().spec.secret.format = {type, "/password", "/user"};
    expect_refused(site, reason::baseline);
    EXPECT_NE(site.condition("Stalled")->message.find("create it with a login that works"), std::string::npos);
  }
}

TEST(Bootstrap, IsRefusedWhereAProviderMakesTheValue) {
  EmptySite site;
  site.object().spec.generator.type = api::GeneratorType::ProviderMinted;
  expect_refused(site, reason::baseline);
}

TEST(Bootstrap, IsRefusedWhereTheSecretWasDeletedOrCannotBeSeen) {
  const std::pair<VaultRefusal, std::string_view> rows[] = {{VaultRefusal::SoftDeleted, reason::secret_soft_deleted},
                                                            {VaultRefusal::Disabled, reason::secret_disabled},
                                                            {VaultRefusal::Permission, reason::permission},
                                                            {VaultRefusal::Firewall, reason::permission}};
  for (const auto& [refusal, why] : rows) {
    EmptySite site;
    site.vault->refusal = refusal;
    expect_refused(site, why);
  }
}

TEST(Bootstrap, IsRefusedWhereThePublishedValueWasOursAndIsGone) {
  EmptySite site;
  site.vault->put(secret_name, "ours", {.run = "lost", .generation = 3, .owner = site.records.owner(), .credential = {"x", 1}});
  site.vault->refusal = VaultRefusal::Missing;
  expect_refused(site, reason::value_lost);
}

TEST(Bootstrap, IsRefusedWhereValuesWereStagedByRunsThatTheJournalDoesNotKnow) {
  EmptySite first;
  ASSERT_TRUE(first.settle_first());
  first.records.stored_runs.clear();
  first.vault->secrets.erase(secret_name);
  const int effects = first.effects->count;
  for (int count = 0; count < 3; ++count) first.pass();
  EXPECT_EQ(first.reason_of("Stalled"), reason::journal_behind);
  EXPECT_EQ(first.effects->count, effects);
}

TEST(Bootstrap, IsRefusedWhereAnotherInstallationHasStaged) {
  EmptySite site;
  const std::string staged = staging_name("main", secret_name);
  site.vault->put(staged, "theirs", {.run = "theirs", .generation = 1, .owner = "another-store", .credential = {"x", 1}});
  expect_refused(site, reason::foreign_owner);
}

TEST(Bootstrap, IsRefusedWhereSomeVaultHasTheSecret) {
  EmptySite site;
  auto second = std::make_shared<SimulatedVault>(site.effects, " second");
  second->put(secret_name, "there");
  site.catalog.vaults["second"] = second;
  site.environment().vaults.push_back({.name = "second", .vault = "second", .secrets = {"*"}});
  site.object().spec.secret.vaults.emplace_back("second");
  expect_refused(site, reason::baseline);
}

TEST(Bootstrap, IsRefusedWhereAnOutageOfThePrincipalIsNotAcknowledged) {
  EmptySite site;
  site.object().spec.strategy.acknowledge_outage = false;
  expect_refused(site, reason::outage_not_acknowledged);
}

TEST(Bootstrap, WaitsWhileItIsSuspended) {
  EmptySite site;
  site.object().spec.suspend = true;
  for (int count = 0; count < 5; ++count) site.pass();
  EXPECT_TRUE(site.records.stored_runs.empty());
  site.object().spec.suspend = false;
  ASSERT_TRUE(site.settle_first());
}

// ---- failures ----------------------------------------------------------------------------------------------------------------

TEST(Bootstrap, GoesOnTryingUntilThePrincipalExists) {
  EmptySite site;
  site.object().spec.strategy.progress_deadline = seconds(30);
  site.dependent->knows_principals = false;
  ASSERT_TRUE(site.reach(Phase::Switching));
  site.clock.advance(std::chrono::minutes(5));
  for (int count = 0; count < 5; ++count) site.pass();
  EXPECT_EQ(site.phase(), Phase::Switching);
  EXPECT_FALSE(site.is_published());
  site.dependent->knows_principals = true;
  ASSERT_TRUE(site.settle_first());
  expect_first_one_in_force(site);
}

TEST(Bootstrap, IsLetGoWhereTheValueIsAcceptedNowhere) {
  EmptySite site;
  site.dependent->knows_principals = false;
  ASSERT_TRUE(site.reach(Phase::Switching));
  for (int count = 0; count < 3; ++count) site.pass();
  site.object().meta.deleted = site.clock.now();
  ASSERT_TRUE(site.pass_until([&] { return site.records.rotations.empty(); }));
  EXPECT_EQ(site.records.stored_runs.back().status.phase, Phase::Abandoned);
  EXPECT_FALSE(site.is_published());
  EXPECT_TRUE(site.everything_staged_is_disabled());
}

TEST(Bootstrap, BeginsAgainAfterItWasLetGo) {
  EmptySite site;
  ASSERT_TRUE(site.reach(Phase::Staging));
  ASSERT_TRUE(site.pass_until([&] { return site.effects->count == 1; }));
  site.want("b");
  ASSERT_TRUE(site.settle("b.1"));
  expect_first_one_in_force(site);
  EXPECT_EQ(site.records.stored_runs.size(), 2U);
  EXPECT_EQ(site.records.stored_runs.front().status.phase, Phase::Abandoned);
}

TEST(Bootstrap, HasNothingToGoBackToAndSaysSo) {
  EmptySite site;
  site.consumers[1]->sick_on_the_next = true;
  ASSERT_TRUE(site.pass_until([&] { return site.run_record() && site.run_record()->status.blocked == reason::consumer_unhealthy; }));
  for (int count = 0; count < 20; ++count) site.pass();
  EXPECT_EQ(site.reason_of("Stalled"), reason::consumer_unhealthy);
  EXPECT_TRUE(site.published_is_accepted()) << "what is published stays good";
  site.consumers[1]->sick_on.clear();
  ASSERT_TRUE(site.settle_first());
  expect_first_one_in_force(site);
}

TEST(Bootstrap, LeavesAValueAloneThatSomebodyElsePublishesMeanwhile) {
  EmptySite site;
  ASSERT_TRUE(site.reach(Phase::Publishing));
  site.vault->put(secret_name, "by-hand");
  for (int count = 0; count < 5; ++count) site.pass();
  EXPECT_EQ(site.run_record()->status.blocked, reason::foreign_publish);
  EXPECT_TRUE(site.published().equals(Secret::copy_of("by-hand")));
}

}  // namespace
}  // namespace keyturn
