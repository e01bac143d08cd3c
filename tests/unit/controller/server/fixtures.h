// Objects, users and stores that the tests of both APIs and of the CLI share.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/codec.h"
#include "api/record_chain.h"
#include "controller/runtime/memory_store.h"
#include "controller/server/store_queries.h"
#include "controller/server/token_check.h"
#include "tests/support/run_loop.h"

namespace keyturn {

// 2026-11-22T12:00:00Z
inline constexpr Instant noon{Duration(1'795'348'800'000)};

// Users by token, and the namespaces that each may read; "*" stands for all.
class FakeTokens final : public TokenCheck {
 public:
  FakeTokens() {
    users_ = {{"token-of-ann", "ann"}, {"token-of-bob", "bob"}};
    rights_ = {{"ann", {"*"}}, {"bob", {"erp-dev"}}};
  }
  std::optional<std::string> user_of(std::string_view bearer) const override {
    const auto found = users_.find(std::string(bearer));
    return found == users_.end() ? std::nullopt : std::optional<std::string>(found->second);
  }
  bool may_read(std::string_view user, std::string_view ns) const override {
    const std::set<std::string>& rights = rights_.at(std::string(user));
    return rights.contains("*") || (!ns.empty() && rights.contains(std::string(ns)));
  }

 private:
  std::map<std::string, std::string> users_;
  std::map<std::string, std::set<std::string>> rights_;
};

inline api::SecretRotation a_rotation(const ObjectKey& key) {
  using namespace std::chrono_literals;
  api::SecretRotation rotation;
  rotation.meta.name = key.name;
  rotation.meta.ns = key.ns;
  rotation.meta.uid = Uid{"0d9f3c1e-6f2b-4a53-8f5e-2f1f0a7f5a01"};
  rotation.meta.generation = 3;
  rotation.meta.created = noon - std::chrono::hours(24 * 40);
  rotation.spec.environment = "dev";
  rotation.spec.revision = "2026-q4";
  rotation.spec.secret = {{"main"}, "RedisConfiguration--Password", {}};
  rotation.spec.dependents.push_back({"cache", {"erp"}});
  rotation.spec.consumers.push_back({.name = "apps-portal", .reload = api::ReloadMode::Restart});
  rotation.status.observed_generation = 3;
  rotation.status.current = api::CredentialStatus{{"2026-q4", 1}, {"6b1f"}, api::CredentialState::Current, noon - 3h, noon - 2h, ""};
  rotation.status.consumers.push_back({"apps-portal", "2026-q4.1", "Verified", "2 of 2 replicas started after the switch"});
  rotation.status.next_rotation = noon + std::chrono::hours(24 * 89);
  rotation.status.conditions.push_back(
      {"Ready", api::Tristate::True, 3, "CurrentVerified", "the current credential is accepted everywhere", noon - 2h});
  return rotation;
}

inline api::RotationRun a_run(const ObjectKey& rotation, std::int64_t generation, Instant started) {
  api::RotationRun run;
  run.meta.name = rotation.name + "-" + std::to_string(generation);
  run.meta.ns = "keyturn-system";
  run.meta.uid = Uid{"0d9f3c1e-6f2b-4a53-8f5e-2f1f0a7f5a02"};
  run.meta.created = started;
  run.spec.rotation = rotation;
  run.spec.rotation_uid = Uid{"0d9f3c1e-6f2b-4a53-8f5e-2f1f0a7f5a01"};
  run.spec.identity = "cache/erp";
  run.spec.generation = generation;
  run.spec.credential = {"2026-q4", static_cast<int>(generation)};
  if (generation > 1) run.spec.old_credential = {"2026-q4", static_cast<int>(generation - 1)};
  run.spec.incident = "INC-4711";
  run.spec.actor = "ann";
  run.spec.frozen = a_rotation(rotation).spec;
  run.status.phase = api::Phase::Succeeded;
  run.status.evidence.push_back({started + Duration(5'000), "Switching", "cache", "fresh login accepted"});
  run.status.started_at = started;
  run.status.finished_at = started + Duration(90'000);
  return run;
}

// So many finished runs, each sealed behind the one before it.
inline std::vector<api::RotationRun> a_chain(const ObjectKey& rotation, int count) {
  std::vector<api::RotationRun> runs;
  for (int generation = 1; generation <= count; ++generation) {
    runs.push_back(a_run(rotation, generation, noon + std::chrono::hours(generation)));
    api::seal(runs.back(), generation == 1 ? std::string{} : runs[runs.size() - 2].status.record_hash);
  }
  return runs;
}
inline api::SecretRotation a_rotation_that_notes(const std::vector<api::RotationRun>& runs) {
  api::SecretRotation rotation = a_rotation(runs.front().spec.rotation);
  rotation.status.record = api::RecordHead{static_cast<std::int64_t>(runs.size()), runs.back().status.record_hash};
  return rotation;
}

inline PlanView a_plan() {
  PlanView plan;
  plan.decision = "Mint";
  plan.reason = "Scheduled";
  plan.credential = "2026-q4.2";
  plan.steps.push_back({"Staging", "stage", "main", "Write the new value to the staging secret."});
  plan.steps.push_back({"Switching", "install", "cache", "Give the principal its new password."});
  plan.hazards.push_back({"Warning", "SingleReplica", "apps-portal", "A restart interrupts the application."});
  plan.hash = "sha256:0123";
  plan.unsafe_window = Duration(250);
  return plan;
}
inline Task<PlanView> plan_of(Context, ObjectKey, std::string) { co_return a_plan(); }

// Writes an object into a store.
template <class Object>
Task<StoredPtr> created(MemoryStore& store, Clock& clock, const Object& object) {
  return store.create(Context(clock, "test"), {std::string(api::group), std::string(Object::plural)}, object.meta.key(),
                      api::encode(object));
}

// A store in virtual time, and the queries over it.
class StoreFixture {
 public:
  boost::asio::io_context io;
  VirtualClock clock{io.get_executor(), noon};
  MemoryStore store{io.get_executor(), clock, Uid{"store"}};
  StoreQueries queries{store, plan_of};

  template <class T>
  T wait(boost::asio::awaitable<T> task) {
    return run(io, clock, std::move(task));
  }
  template <class Object>
  void add(const Object& object) {
    const Result<StoredPtr> stored = wait(created(store, clock, object));
    if (!stored) throw BadResultAccess(stored.error());
  }
  Context context() { return Context(clock, "test"); }
};

}  // namespace keyturn
