#include "reconcilers/rotation/execute.h"

#include "reconcilers/rotation/credential_format.h"
#include "reconcilers/rotation/generator.h"
#include "reconcilers/rotation/key_set.h"

namespace keyturn {
namespace {

// What a run that replaces a compromised credential says of all that was issued before it.
std::optional<Instant> floor_of(const api::RotationRun& run, bool pending) {
  const bool replaces = pending && run.spec.reason == api::Reason::ConfirmedCompromise;
  if (!replaces || !run.status.started_at) return {};
  return std::chrono::floor<std::chrono::seconds>(*run.status.started_at);
}

VersionTags tags_of(const api::RotationRun& run, const std::string& owner, Credential credential) {
  // A document of both is named after the key that is sent.
  const bool pending = credential == Credential::Pending || credential == Credential::PendingOfBoth;
  return {.run = run_tag(run),
          .generation = run.spec.generation,
          .owner = owner,
          .credential = pending ? run.spec.credential : run.spec.old_credential,
          .floor = floor_of(run, pending)};
}

const Secret& value_of(const Look& look, Credential credential) { return credential == Credential::Pending ? look.pending : look.old; }

// What a vault is to return.
Result<Secret> document_for(const api::RotationRun& run, const Look& look, Credential credential) {
  if (run.spec.protocol == api::Protocol::SharedKey) return document_of(credential, look.old, look.pending);
  return value_of(look, credential).clone();
}

const std::string& principal_of(const api::RotationRun& run, Credential credential) {
  return credential == Credential::Pending ? run.spec.pending_principal : run.spec.old_principal;
}

// The password that the new rendered value is to carry: a fresh one, what the provider holds, or that of the earlier value that is
// brought back.
Task<Secret> password_for(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Random& random) {
  const api::SecretRotationSpec& spec = run.spec.frozen;
  if (mints(run.spec.protocol, run.spec.direction)) {
    if (look.made.empty()) co_return Error{Errc::Unavailable, "what the provider holds was not read"};
    co_return look.made.clone();
  }
  if (run.spec.direction == api::Direction::Forward) co_return generate(spec.generator, spec.secret.format, random);
  SecretVault& vault = *targets.vaults.front();
  auto earlier = co_await vault.read(context, spec.secret.name, run.spec.reuse_version);
  if (!earlier && earlier.error().code == Errc::Denied) {
    // It was disabled when it was superseded: what is retained may be read again.
    auto enabled = co_await vault.set_enabled(context, spec.secret.name, run.spec.reuse_version, true);
    if (!enabled) co_return enabled.error();
    earlier = co_await vault.read(context, spec.secret.name, run.spec.reuse_version);
  }
  if (!earlier) co_return earlier.error();
  auto login = extract(spec.secret.format, *earlier, run.spec.pending_principal);
  if (!login) co_return login.error();
  co_return std::move(login->password);
}

Task<Executed> stage(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Random& random,
                     std::string owner) {
  const api::SecretRotationSpec& spec = run.spec.frozen;
  if (look.seen.pending_refusal == VaultRefusal::Disabled) {
    auto enabled = co_await targets.staging->set_enabled(context, targets.staging_name, run.status.staged_version, true);
    if (!enabled) co_return enabled.error();
    co_return Executed{};
  }
  auto password = co_await password_for(context, targets, run, look, random);
  if (!password) co_return password.error();
  Secret current;  // stays empty where nothing was published before
  if (!run.spec.bootstrap) {
    // Everything around the login stays as it is published; what is repaired is not to be learned from.
    const VersionId& around = run.spec.direction == api::Direction::Repair ? run.spec.reuse_version : run.status.old_version;
    auto read = co_await targets.vaults.front()->read(context, spec.secret.name, around);
    if (!read) co_return read.error();
    current = std::move(*read);
  }
  auto rendered = render(spec.secret.format, current, run.spec.pending_principal, *password);
  if (!rendered) co_return rendered.error();
  if (run.spec.protocol == api::Protocol::SharedKey) {
    // What is staged must also fit beside what is accepted now.
    const auto both = document_of(Credential::OldOfBoth, current, *rendered);
    if (!both) co_return both.error();
  }
  auto staged = co_await targets.staging->append(context, targets.staging_name, *rendered, tags_of(run, owner, Credential::Pending));
  if (!staged) co_return staged.error();
  co_return Executed{};
}

Task<Executed> at_dependent(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Plan step) {
  const std::string& principal = principal_of(run, step.credential);
  auto login = extract(run.spec.frozen.secret.format, value_of(look, step.credential), principal);
  if (!login) co_return login.error();
  Dependent& dependent = *targets.dependents[step.target];
  auto done = step.action == Action::Install ? co_await dependent.install(context, principal, login->password)
                                             : co_await dependent.withdraw(context, principal, login->password);
  if (!done) co_return done.error();
  co_return Executed{};
}

Task<Executed> mint(Context context, const Targets& targets, const api::RotationRun& run, Plan step) {
  auto made = co_await targets.dependents[step.target]->mint(context, run.spec.pending_principal, run.status.slot.value_or(0));
  if (!made) co_return made.error();
  co_return Executed{};
}

Task<Executed> publish(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Plan step,
                       std::string owner) {
  const Result<Secret> value = document_for(run, look, step.credential);
  if (!value) co_return value.error();
  if (value->empty()) co_return Error{Errc::Unavailable, "the value to publish was not read"};
  const VersionTags tags = tags_of(run, owner, step.credential);
  auto published = co_await targets.vaults[step.target]->append(context, run.spec.frozen.secret.name, *value, tags);
  if (!published) co_return published.error();
  co_return Executed{};
}

Task<Executed> converge(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Plan step) {
  const api::ConsumerRef& consumer = run.spec.frozen.consumers[step.target];
  const std::size_t vault = vault_of(run.spec.frozen, step.target);
  const VersionId version = look.latest[vault];
  ConvergeTarget goal{targets.vault_urls[vault], run.spec.frozen.secret.name, version, consumer.reload};
  std::string mark;
  for (const api::RunTarget& target : run.status.targets) {
    const bool same = target.kind == api::TargetKind::Consumer && target.name == consumer.name && target.version_seen == version;
    if (same) mark = target.mark;
  }
  auto moved = co_await targets.consumers[step.target]->converge(context, goal, mark);
  if (!moved) co_return moved.error();
  co_return Executed{std::move(*moved)};
}

}  // namespace

Task<Executed> execute(Context context, const Targets& targets, const api::RotationRun& run, const Look& look, Plan step, Random& random,
                       std::string owner) {
  switch (step.action) {
    case Action::Stage:
      co_return co_await stage(std::move(context), targets, run, look, random, std::move(owner));
    case Action::Mint:
      co_return co_await mint(std::move(context), targets, run, step);
    case Action::Install:
    case Action::Withdraw:
      co_return co_await at_dependent(std::move(context), targets, run, look, step);
    case Action::Publish:
      co_return co_await publish(std::move(context), targets, run, look, step, std::move(owner));
    case Action::Converge:
      co_return co_await converge(std::move(context), targets, run, look, step);
    case Action::Advance:
    case Action::Wait:
    case Action::Block:
    case Action::Finished:
      break;
  }
  co_return Error{Errc::Internal, "not a step with an effect"};
}

}  // namespace keyturn
