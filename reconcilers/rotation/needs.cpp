#include "reconcilers/rotation/needs.h"

#include "reconcilers/rotation/plan.h"

namespace keyturn {
namespace {

using api::Phase;

// A provider makes the value: what it drops for that must be in nobody's hands, and what it made is read back.
Needs needs_of_minting(Phase phase) {
  if (phase == Phase::Staging) return {.vaults = true, .staged = true, .consumers = true, .held = true};
  return {.vaults = true, .staged = true, .held = true};
}

}  // namespace

Needs needs_of(api::Protocol protocol, api::Direction direction, Phase phase) noexcept {
  const bool minting = phase == Phase::Staging || phase == Phase::Minting;
  if (minting && mints(protocol, direction)) return needs_of_minting(phase);
  // The dependents of a shared key are its own consumers.
  const bool shared = protocol == api::Protocol::SharedKey;
  if (shared && (phase == Phase::Switching || phase == Phase::Withdrawing)) return {.vaults = true, .consumers = true};
  switch (phase) {
    case Phase::Admitted:
      return {.vaults = true, .old = true, .baseline = true};
    case Phase::Staging:
      return {.staged = true, .idle = true};
    case Phase::Switching:
      return {.pending = true, .old = true};
    case Phase::Publishing:
      return {.vaults = true, .pending = true};
    case Phase::Rolling:
      return {.vaults = true, .pending = true, .consumers = true};
    case Phase::Verifying:
      return {.vaults = true, .pending = true, .consumers = true, .sessions = true};
    case Phase::Retiring:
      return {.vaults = true, .pending = true, .old = true, .consumers = true};
    case Phase::RollingBack:
      return {.vaults = true, .old = true, .consumers = true};
    case Phase::Withdrawing:
      return {.pending = true};
    case Phase::Minting:
    case Phase::Pinned:
    case Phase::Succeeded:
    case Phase::RolledBack:
    case Phase::Abandoned:
      break;
  }
  return {};
}

}  // namespace keyturn
