#include "reconcilers/rotation/needs.h"

#include "reconcilers/rotation/guard.h"
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

// Before anything is changed the vault is read as well: its tags tell whether another installation, or a newer run that a restored
// journal does not know, has come between.
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
      return {.vaults = true, .staged = true, .idle = true};
    case Phase::Pinned:
      // A retained value is tried before anything is begun.
      return {.pending = direction == api::Direction::Back};
    case Phase::Switching:
      return {.vaults = true, .pending = true, .old = true};
    case Phase::Publishing:
      return {.vaults = true, .pending = true};
    case Phase::Rolling:
      return {.vaults = true, .pending = true, .consumers = true};
    case Phase::Verifying:
      // Without a phase for retirement the old credential would have to be looked at here already.
      return {.vaults = true, .pending = true, .old = !enforced(Guard::RetiringIsJournalled), .consumers = true, .sessions = true};
    case Phase::Retiring:
      return {.vaults = true, .pending = true, .old = true, .consumers = true};
    case Phase::RollingBack:
      return {.vaults = true, .old = true, .consumers = true, .sessions = true};
    case Phase::Withdrawing:
      return {.vaults = true, .pending = true};
    case Phase::Minting:
    case Phase::Succeeded:
    case Phase::RolledBack:
    case Phase::Abandoned:
      break;
  }
  return {};
}

}  // namespace keyturn
