#include "reconcilers/rotation/found.h"

#include <algorithm>

#include "api/reasons.h"
#include "reconcilers/rotation/observe.h"
#include "reconcilers/rotation/refusal_reason.h"

namespace keyturn {
namespace {

namespace reason = api::reason;

Found refuse(std::string_view why, std::string message) {
  return {.what = Found::What::Refused, .reason = why, .message = std::move(message)};
}

// Only where the whole value is made anew is there nothing to edit; and what a provider makes is not chosen by us.
Found if_it_can_be_made(const api::SecretRotationSpec& spec) {
  const api::FormatType format = spec.secret.format.type;
  const bool whole = format == api::FormatType::Opaque || format == api::FormatType::KeySet;
  if (!whole) {
    return refuse(reason::baseline,
                  "the secret does not exist, and its format edits a value that is there: create it with a login that works, and it is "
                  "adopted");
  }
  if (spec.generator.type == api::GeneratorType::ProviderMinted) {
    return refuse(reason::baseline, "the secret does not exist: create it with a key that the system holds, and it is adopted");
  }
  return {.what = Found::What::Nothing};
}

// A first run that ended before anything was touched leaves a staged value behind, and nothing else does that the journal knows of.
bool left_by_a_first_run(const VaultVersion& version, const std::vector<api::RotationRun>& known) {
  return std::any_of(known.begin(), known.end(), [&](const api::RotationRun& run) {
    return run.spec.bootstrap && run.status.phase == api::Phase::Abandoned && run_tag(run) == version.tags.run;
  });
}

// Nothing is returned under the name. That it was never there is believed only if no trace tells otherwise.
Awaitable<Found> never_there(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                             const std::vector<api::RotationRun>& known, std::string owner) {
  for (const auto& vault : targets.vaults) {
    const auto versions = co_await vault->versions(context.named("list"), spec.secret.name);
    if (!versions) co_return refuse(reason::store_unreachable, "the vault cannot be listed: " + versions.error().message);
    for (const VaultVersion& version : *versions) {
      if (version.tags.owner == owner)
        co_return refuse(reason::value_lost, "the vault no longer returns the value that was published there");
      if (version.tags.ours()) co_return refuse(reason::foreign_owner, "another installation rotates this secret");
    }
    if (!versions->empty()) co_return refuse(reason::baseline, "the secret has versions, and none of them is returned");
  }
  const auto staged = co_await targets.staging->versions(context.named("list staged"), targets.staging_name);
  if (!staged) co_return refuse(reason::store_unreachable, "the staging vault cannot be listed: " + staged.error().message);
  for (const VaultVersion& version : *staged) {
    if (!version.tags.ours() || left_by_a_first_run(version, known)) continue;
    if (version.tags.owner != owner) co_return refuse(reason::foreign_owner, "another installation rotates this secret");
    co_return refuse(reason::journal_behind, "values were staged for this secret before, by runs that the journal does not know");
  }
  co_return if_it_can_be_made(spec);
}

}  // namespace

Awaitable<Found> find_published(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                const std::vector<api::RotationRun>& known, std::string owner) {
  Found found{.what = Found::What::Published};
  std::size_t missing = 0;
  for (const auto& vault : targets.vaults) {
    auto latest = co_await vault->read_latest(context.named("find"), spec.secret.name);
    if (!latest) co_return refuse(reason::store_unreachable, "the vault cannot be read: " + latest.error().message);
    if (!latest->facts.latest) {
      ++missing;
      if (latest->facts.refusal == VaultRefusal::Missing) continue;
      co_return refuse(reason_of(latest->facts.refusal),
                       "the secret cannot be read in its vault; a secret that exists and is enabled is adopted as it is");
    }
    const VaultVersion& version = *latest->facts.latest;
    if (version.tags.ours() && version.tags.owner != owner) {
      co_return refuse(reason::foreign_owner, "another installation rotates this secret");
    }
    const bool first = found.versions.empty();
    if (!first && !latest->value.equals(found.value)) {
      co_return refuse(reason::baseline, "the vaults return different values; write the same one to all of them, and it is adopted");
    }
    found.versions.push_back(version.id);
    if (!first) continue;
    found.tags = version.tags;
    found.value = std::move(latest->value);
  }
  if (missing == 0) co_return found;
  if (missing == targets.vaults.size()) co_return co_await never_there(std::move(context), targets, spec, known, std::move(owner));
  co_return refuse(reason::baseline, "the secret exists in some of its vaults only; write the same value to all of them");
}

}  // namespace keyturn
