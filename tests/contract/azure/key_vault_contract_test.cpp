#include <set>

#include "tests/contract/azure/simulated_azure.h"

namespace keyturn {
namespace {

constexpr const char* seed = R"({"armThrottling":false,"vaults":[{"name":"main","emptyFirstPage":true,
    "secrets":[{"name":"redis","value":"first","tags":{"team":"erp"},"contentType":"text/plain"}]}]})";

class SimulatedKeyVault : public SimulatedAzure {
 protected:
  SimulatedKeyVault() { begin(seed); }
  Result<VaultVersion> append(const std::string& text, const std::string& owner = "run-1") {
    const Secret value = Secret::copy_of(text);
    VersionTags tags;
    tags.run = owner;
    tags.generation = 1;
    tags.owner = "owner";
    tags.credential = {"2026-q1", 1};
    return run_task(vault->append(context(), "redis", value, tags));
  }
  Result<SecretVault::Latest> latest(const std::string& name = "redis") { return run_task(vault->read_latest(context(), name)); }
  Result<std::vector<VaultVersion>> versions() { return run_task(vault->versions(context(), "redis")); }
  VersionId newest() { return VersionId{stored("redis").versions.back().id}; }
  void set_enabled_behind_our_back(const std::string& version, bool enabled) {
    sim::Vault::Change change;
    change.enabled = enabled;
    ASSERT_TRUE(sim->cloud().vaults.find("main")->vault.patch("redis", version, change, clock.now()));
  }
};

TEST_F(SimulatedKeyVault, GivesBackWhatWasAppended) {
  const auto written = append("second \"value\"");
  ASSERT_TRUE(written) << written.error().message;
  const auto read = latest();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->facts.latest->id, written->id);
  EXPECT_EQ(read->facts.latest->tags.run, "run-1");
  EXPECT_EQ(read->facts.latest->tags.credential, (CredentialName{"2026-q1", 1}));
  EXPECT_EQ(text_of(read->value), "second \"value\"");
  EXPECT_EQ(text_of(run_task(vault->read(context(), "redis", written->id)).value()), "second \"value\"");
  EXPECT_EQ(stored("redis").versions.back().tags.at("team"), "erp");
  EXPECT_EQ(stored("redis").versions.back().content_type, "text/plain");
}

TEST_F(SimulatedKeyVault, FindsTheNewestOnWhateverPageItIs) {
  std::set<std::string> ids{newest().value};
  for (int i = 0; i < 60; ++i) ids.insert(append("v" + std::to_string(i))->id.value);
  const auto all = versions();
  ASSERT_TRUE(all);
  std::set<std::string> listed;
  for (const VaultVersion& version : *all) listed.insert(version.id.value);
  EXPECT_EQ(listed, ids);
  EXPECT_EQ(latest()->facts.latest->id, newest());
}

TEST_F(SimulatedKeyVault, HasWrittenWhenOnlyTheAnswerWasLost) {
  fault(R"({"match":{"operation":"vault.set"},"action":"drop-after-effect"})");
  EXPECT_EQ(append("second").error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(text_of(latest()->value), "second");
  fault(R"({"match":{"operation":"vault.set"},"action":"status-after-effect","status":500})");
  EXPECT_EQ(append("third").error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(text_of(latest()->value), "third");
  EXPECT_EQ(stored("redis").versions.size(), 3u);
}

TEST_F(SimulatedKeyVault, SeesTheEffectOfALateWrite) {
  fault(R"({"match":{"operation":"vault.set"},"action":"apply-late","afterMs":30000})");
  EXPECT_EQ(append("late").error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(text_of(latest()->value), "first");
  clock.advance(Duration{30'000});
  EXPECT_EQ(text_of(latest()->value), "late");
}

TEST_F(SimulatedKeyVault, NeverWritesTwiceByItself) {
  fault(R"({"match":{"operation":"vault.set"},"action":"drop-before"})");
  EXPECT_EQ(append("second").error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(stored("redis").versions.size(), 1u);
}

TEST_F(SimulatedKeyVault, IsUnreadableWhenTheNewestIsDisabled) {
  ASSERT_TRUE(append("second"));
  set_enabled_behind_our_back(newest().value, false);
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::Disabled);
  EXPECT_EQ(run_task(vault->read(context(), "redis", newest())).error().code, Errc::Denied);
  ASSERT_TRUE(append("third"));
  EXPECT_EQ(text_of(latest()->value), "third");
}

TEST_F(SimulatedKeyVault, DisablesOldVersionsButNeverTheNewest) {
  const VersionId first = newest();
  ASSERT_TRUE(append("second"));
  ASSERT_TRUE(run_task(vault->set_enabled(context(), "redis", first, false)));
  EXPECT_FALSE(stored("redis").versions.front().attributes.enabled);
  EXPECT_EQ(run_task(vault->set_enabled(context(), "redis", newest(), false)).error().code, Errc::Invalid);
  EXPECT_EQ(text_of(latest()->value), "second");
  ASSERT_TRUE(run_task(vault->set_enabled(context(), "redis", first, true)));
  EXPECT_EQ(text_of(run_task(vault->read(context(), "redis", first)).value()), "first");
}

TEST_F(SimulatedKeyVault, AdoptsAVersionAndKeepsForeignTags) {
  VersionTags tags;
  tags.run = "adopted";
  tags.owner = "owner";
  tags.credential = {"2025-q4", 1};
  ASSERT_TRUE(run_task(vault->tag(context(), "redis", newest(), tags)));
  EXPECT_EQ(latest()->facts.latest->tags, tags);
  EXPECT_EQ(stored("redis").versions.back().tags.at("team"), "erp");
}

TEST_F(SimulatedKeyVault, TellsDeletedFromMissing) {
  EXPECT_EQ(latest("absent")->facts.refusal, VaultRefusal::Missing);
  ASSERT_TRUE(sim->cloud().vaults.find("main")->vault.remove("redis", clock.now()));
  clock.advance(Duration{10'000});
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::SoftDeleted);
  EXPECT_EQ(append("second").error().code, Errc::Conflict);
  EXPECT_TRUE(versions()->empty());
}

TEST_F(SimulatedKeyVault, NamesEveryRefusalOfThePlatform) {
  grant(R"({"principal":"keyturn","vault":"main","actions":["list"]})");
  EXPECT_EQ(latest()->facts.refusal, VaultRefusal::Permission);
  EXPECT_EQ(append("second").error().message, "the identity has no permission in the vault");
  for (const auto network : {sim::VaultSettings::Network::Firewall, sim::VaultSettings::Network::Connection}) {
    sim->cloud().vaults.find("main")->settings.network = network;
    EXPECT_EQ(latest()->facts.refusal, VaultRefusal::Firewall);
    EXPECT_EQ(append("second").error().message, "the vault's firewall refuses this controller");
  }
}

TEST_F(SimulatedKeyVault, ReadsWhileAFailoverMakesItReadOnly) {
  fault(R"({"match":{"service":"vault"},"action":"read-only","seconds":120,"count":0})");
  EXPECT_EQ(append("second").error().code, Errc::OutcomeUnknown);
  EXPECT_EQ(text_of(latest()->value), "first");
  clock.advance(Duration{121'000});
  EXPECT_TRUE(append("second"));
}

TEST_F(SimulatedKeyVault, PassesThrottlingOn) {
  fault(R"({"match":{"operation":"vault.get"},"action":"status","status":429,"code":"Throttled","headers":{"Retry-After":"7"}})");
  const auto throttled = latest();
  EXPECT_EQ(throttled.error().code, Errc::Throttled);
  EXPECT_EQ(throttled.error().retry_after, Duration{7'000});
}

TEST_F(SimulatedKeyVault, GetsANewTokenOnceTheOldOneIsRevoked) {
  ASSERT_TRUE(latest());
  admin("principals/keyturn/revoke", "{}");
  clock.advance(Duration{2'000});
  EXPECT_TRUE(latest());
  ASSERT_TRUE(append("second"));
}

TEST_F(SimulatedKeyVault, OutlivesItsTokens) {
  ASSERT_TRUE(latest());
  clock.advance(Duration{4'000'000});
  EXPECT_TRUE(append("second"));
}

TEST_F(SimulatedKeyVault, IsDeniedWhenTheTokenIsRefusedTwice) {
  fault(R"({"match":{"service":"vault"},"action":"status","status":401,"code":"Unauthorized","count":2})");
  EXPECT_EQ(latest().error().code, Errc::Denied);
  EXPECT_TRUE(latest());
}

TEST_F(SimulatedKeyVault, HasNotWrittenWhenNoTokenCanBeHad) {
  fault(R"({"match":{"service":"entra"},"action":"drop-before","count":0})");
  EXPECT_EQ(append("second").error().code, Errc::Unavailable);
  EXPECT_EQ(stored("redis").versions.size(), 1u);
}

}  // namespace
}  // namespace keyturn
