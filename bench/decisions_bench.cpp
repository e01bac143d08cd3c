// The pure core: what one pass costs beside the calls that leave the process.
#include <array>

#include "bench/batches.h"
#include "bench/samples.h"
#include "reconcilers/rotation/intent.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn::bench {
namespace {

constexpr int calls_per_batch = 1024;

Ledger ledger_of(const api::SecretRotation& rotation) {
  Ledger ledger;
  const auto add = [&](const api::CredentialStatus& credential) {
    const Instant issued = credential.issued_at.value_or(sample_now());
    ledger.entries.push_back(
        {.name = credential.name, .version = credential.version, .state = credential.state, .issued_at = issued, .proven_at = issued});
  };
  add(*rotation.status.current);
  for (const api::CredentialStatus& credential : rotation.status.history) add(credential);
  return ledger;
}

// A healthy look at one vault, one dependent and the sample's consumers, in the middle of a rollout.
Observation sound_observation() {
  Observation seen;
  seen.quiet = true;
  seen.staged = true;
  seen.vaults = {{.latest = Published::Pending}, {.latest = Published::Pending}};
  seen.dependents = {{.pending = ProbeResult::Accepted, .old = ProbeResult::Accepted}};
  for (int i = 0; i < consumers; ++i)
    seen.consumers.push_back({.state = i % 2 == 0 ? ConsumerState::Proven : ConsumerState::Stale, .act_due = i % 2 != 0});
  return seen;
}

void decide_keep(benchmark::State& state) {
  const api::SecretRotation rotation = sample_rotation();
  const Ledger ledger = ledger_of(rotation);
  const UtcOnly zones;
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(decide(rotation.spec, ledger, sample_now(), zones));
  });
}
BENCHMARK(decide_keep)->UseManualTime()->Iterations(batches_timed);

void decide_mint(benchmark::State& state) {
  api::SecretRotation rotation = sample_rotation();
  const Ledger ledger = ledger_of(rotation);
  rotation.spec.revision = "2026-q4";
  const UtcOnly zones;
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(decide(rotation.spec, ledger, sample_now(), zones));
  });
}
BENCHMARK(decide_mint)->UseManualTime()->Iterations(batches_timed);

void plan_every_phase(benchmark::State& state) {
  using api::Phase;
  constexpr std::array phases{Phase::Admitted, Phase::Staging,   Phase::Minting,  Phase::Pinned,      Phase::Switching,  Phase::Publishing,
                              Phase::Rolling,  Phase::Verifying, Phase::Retiring, Phase::RollingBack, Phase::Withdrawing};
  const RunSpec run{
      .protocol = api::Protocol::Alternating, .publish_deadline = std::chrono::minutes(5), .progress_deadline = std::chrono::hours(1)};
  const Observation seen = sound_observation();
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) {
      const Journal journal{.phase = phases[static_cast<std::size_t>(i) % phases.size()], .phase_since = sample_now()};
      benchmark::DoNotOptimize(plan(run, journal, seen, sample_now()));
    }
  });
}
BENCHMARK(plan_every_phase)->UseManualTime()->Iterations(batches_timed);

}  // namespace
}  // namespace keyturn::bench
