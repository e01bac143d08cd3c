#include "reconcilers/rotation/describe.h"

namespace keyturn {
namespace {

using api::Phase;

std::string_view purpose_of(Phase phase) {
  switch (phase) {
    case Phase::Admitted:
      return "Admit the run";
    case Phase::Staging:
      return "Find the baseline sound";
    case Phase::Minting:
      return "Note what the provider holds";
    case Phase::Pinned:
      return "Pin the staged value";
    case Phase::Switching:
      return "Begin to switch the dependents";
    case Phase::Publishing:
      return "Find the new credential accepted everywhere";
    case Phase::Rolling:
      return "Find the new credential published everywhere";
    case Phase::Verifying:
      return "Find every consumer on the new credential";
    case Phase::Retiring:
      return "Pass the point of no return";
    case Phase::Succeeded:
      return "See all post-conditions true at once";
    case Phase::RollingBack:
      return "Turn back";
    case Phase::Withdrawing:
      return "Find everybody on the old credential again";
    case Phase::RolledBack:
      return "See the old state restored at once";
    case Phase::Abandoned:
      return "Stop before anything was touched";
  }
  return "";
}

// A shared key in between is two credentials, one of which is sent.
std::string credential_of(const Plan& step, const api::RotationRunSpec& run) {
  const std::string pending = run.credential.to_string();
  const std::string old = run.old_credential.to_string();
  switch (step.credential) {
    case Credential::Pending:
      return pending;
    case Credential::Old:
      return old;
    case Credential::OldOfBoth:
      return old + " (accepting " + pending + " too)";
    case Credential::PendingOfBoth:
      return pending + " (accepting " + old + " too)";
  }
  return pending;
}
const std::string& principal_of(const Plan& step, const api::RotationRunSpec& run) {
  return step.credential == Credential::Pending ? run.pending_principal : run.old_principal;
}

}  // namespace

std::string target_of(const Plan& step, const api::RotationRunSpec& run) {
  const api::SecretRotationSpec& spec = run.frozen;
  switch (step.action) {
    case Action::Mint:
    case Action::Install:
    case Action::Withdraw:
      return spec.dependents.at(step.target).system;
    case Action::Publish:
      return spec.secret.vaults.at(step.target);
    case Action::Converge:
      return spec.consumers.at(step.target).name;
    default:
      return {};
  }
}

std::string describe(const Plan& step, const api::RotationRunSpec& run) {
  const std::string credential = credential_of(step, run);
  const std::string target = target_of(step, run);
  switch (step.action) {
    case Action::Advance:
      return std::string(purpose_of(step.phase));
    case Action::Mint:
      return "Let " + target + " make " + credential;
    case Action::Stage:
      return "Stage " + credential + " in the staging vault";
    case Action::Install:
      return "Install " + credential + " for " + principal_of(step, run) + " at " + target;
    case Action::Publish:
      return "Publish " + credential + " as " + run.frozen.secret.name + " in vault " + target;
    case Action::Converge:
      return "Bring " + target + " to " + credential;
    case Action::Withdraw:
      return "Withdraw " + credential + " of " + principal_of(step, run) + " at " + target;
    case Action::Wait:
      return "Wait: " + std::string(step.reason);
    case Action::Block:
      return "Blocked: " + std::string(step.reason);
    case Action::Finished:
      return "Finished";
  }
  return {};
}

}  // namespace keyturn
