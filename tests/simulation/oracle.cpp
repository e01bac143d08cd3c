#include "tests/simulation/oracle.h"

#include <algorithm>

#include "api/codec.h"

namespace keyturn::simulation {
namespace {

using api::Phase;

// A pass reads the binding once, at its start, and may last as long as a reconcile may.
constexpr Duration authority_grace = std::chrono::minutes(2);
// Far more than what people want in a world's time and what may be tried again.
constexpr std::size_t runs_max = 100;
// A look, the record of the intent, and a request that takes its time, or is late by what the quarantine covers.
constexpr Duration look_to_effect_max = std::chrono::minutes(5);

}  // namespace

void Oracle::fail(const std::string& invariant, std::size_t subject, const std::string& message) {
  if (repair_only_ && invariant != "I2" && invariant != "I10" && invariant != "L1") {
    ++forgiven_;
    return;
  }
  if (!violation_) violation_ = Violation{invariant, ground_.subjects[subject].rotation.name + ": " + message};
}

// ---- after every change --------------------------------------------------------------------------------------------------------

void Oracle::changed(std::size_t subject, const std::string&) {
  last_change_ = clock_.boot_now();
  note_refusals(subject);
  check_readable(subject);
  check_recoverable(subject);
  check_published_accepted(subject);
  check_nobody_locked_out(subject);
}

void Oracle::check_readable(std::size_t subject) {
  for (const std::string& vault : ground_.subjects[subject].vaults) {
    const StoredVersion* newest = ground_.published(subject, vault);
    if (!newest || !newest->about.enabled) fail("I2", subject, "a versionless read of " + vault + " fails");
  }
}

bool Oracle::durable(std::size_t subject, const Login& login) const {
  const std::string value = render(login);
  for (const auto& [vault, held] : ground_.vaults) {
    for (const auto& [name, versions] : held.secrets) {
      if (name != ground_.subjects[subject].secret && !name.starts_with(staging_prefix)) continue;
      for (const StoredVersion& version : versions) {
        if (version.about.enabled && version.value == value) return true;
      }
    }
  }
  return false;
}

void Oracle::check_recoverable(std::size_t subject) {
  if (system_by_hand_.contains(subject)) return;
  for (const std::string& name : ground_.subjects[subject].systems) {
    const std::vector<Login> accepted = ground_.systems.at(name).accepted();
    const bool recoverable = std::any_of(accepted.begin(), accepted.end(), [&](const Login& login) { return durable(subject, login); });
    if (!recoverable) fail("I1", subject, name + " accepts only what nobody can read");
  }
}

const Oracle::Run* Oracle::unfinished(std::size_t subject) const {
  for (const auto& [name, run] : runs_) {
    if (run.subject == subject && !api::is_terminal(run.record.status.phase)) return &run;
  }
  return nullptr;
}

// I3w: one live credential, in the phases of the switch, both values readable, and nothing else accepted.
bool Oracle::in_switch_window(std::size_t index) const {
  const Subject& subject = ground_.subjects[index];
  const Run* run = unfinished(index);
  if (two_live(subject.protocol) || !run) return false;
  const Phase phase = run->record.status.phase;
  if (phase != Phase::Switching && phase != Phase::Publishing && phase != Phase::RollingBack) return false;
  std::set<Login> expected;
  for (const auto& [vault, held] : ground_.vaults) {
    for (const auto& [secret, versions] : held.secrets) {
      for (const StoredVersion& version : versions) {
        const bool one_of_two = version.about.id == run->record.status.staged_version || version.about.id == run->record.status.old_version;
        if (one_of_two) expected.insert(login_of(version.value));
      }
    }
  }
  const bool both_durable =
      expected.size() >= 2 && std::all_of(expected.begin(), expected.end(), [&](const Login& login) { return durable(index, login); });
  if (!both_durable) return false;
  for (const std::string& name : subject.systems) {
    for (const Login& login : ground_.systems.at(name).accepted()) {
      if (!expected.contains(login)) return false;
    }
  }
  return true;
}

// I4w: until the consumers have been restarted.
bool Oracle::in_reload_window(std::size_t index) const {
  const Run* run = unfinished(index);
  if (two_live(ground_.subjects[index].protocol) || !run) return false;
  const Phase phase = run->record.status.phase;
  return phase == Phase::Switching || phase == Phase::Publishing || phase == Phase::Rolling || phase == Phase::RollingBack;
}

bool Oracle::still_cut_off(std::size_t subject) {
  if (!cut_off_.contains(subject)) return false;
  for (const std::string& vault : ground_.subjects[subject].vaults) {
    const StoredVersion* newest = ground_.published(subject, vault);
    if (newest && !ground_.accepted_everywhere(subject, login_of(newest->value))) return true;
  }
  if (!all_logged_in(subject)) return true;
  cut_off_.erase(subject);
  return false;
}

void Oracle::check_published_accepted(std::size_t subject) {
  if (lenient(subject) || still_cut_off(subject)) return;
  for (const std::string& vault : ground_.subjects[subject].vaults) {
    const StoredVersion* newest = ground_.published(subject, vault);
    if (!newest || ground_.accepted_everywhere(subject, login_of(newest->value)) || in_switch_window(subject)) continue;
    fail(two_live(ground_.subjects[subject].protocol) ? "I3" : "I3w", subject, "what " + vault + " returns is not accepted");
  }
}

bool Oracle::counts(std::size_t subject, const Application& application) const {
  if (!application.running || application.forgotten) return false;
  return application.declared || !compromised_.contains(subject);
}

bool Oracle::all_logged_in(std::size_t subject) const {
  const Subject& concerned = ground_.subjects[subject];
  std::vector<std::string> in_use;
  for (const std::string& name : concerned.consumers) {
    const Application& application = ground_.applications.at(name);
    if (counts(subject, application)) in_use.push_back(application.value);
  }
  if (concerned.protocol != api::Protocol::SharedKey) {
    return std::all_of(in_use.begin(), in_use.end(),
                       [&](const std::string& value) { return ground_.accepted_everywhere(subject, login_of(value)); });
  }
  for (const std::string& sender : in_use) {
    for (const std::string& receiver : in_use) {
      if (!keys_of(receiver).accepts(keys_of(sender).send)) return false;
    }
  }
  return true;
}

void Oracle::check_nobody_locked_out(std::size_t subject) {
  if (lenient(subject) || all_logged_in(subject) || in_reload_window(subject) || still_cut_off(subject)) return;
  fail(two_live(ground_.subjects[subject].protocol) ? "I4" : "I4w", subject, "a running consumer holds what is not accepted");
}

// ---- at effects ----------------------------------------------------------------------------------------------------------------

// What somebody else published may only be overwritten where that is wanted, and what another installation published never. Both may
// happen between the last look and the request.
void Oracle::check_overwritten(std::size_t index, const api::RotationRun& run, const StoredVersion& before) {
  if (!before.by_hand || clock_.boot_now() - *before.by_hand < look_to_effect_max) return;
  const bool enforced = run.spec.frozen.strategy.drift_policy == api::DriftPolicy::Enforce;
  // A run that begins when it stands there already, and is accepted, takes it for the old value.
  const Subject& subject = ground_.subjects[index];
  const StoredVersion* old = ground_.vaults.at(subject.vaults.front()).find(subject.secret, run.status.old_version);
  const bool replaced = old && old->value == before.value && subject.protocol != api::Protocol::SharedKey;
  if (before.about.tags.ours()) fail("P1", index, "what another installation published was overwritten");
  if (!enforced && !replaced) fail("P1", index, "what somebody published by hand was overwritten");
}

void Oracle::published(std::size_t index, const StoredVersion& now, const StoredVersion* earlier) {
  const VersionTags& tags = now.about.tags;
  const VersionTags before = earlier ? earlier->about.tags : VersionTags{};
  const auto by = runs_.find(tags.run);
  if (earlier && by != runs_.end()) check_overwritten(index, by->second.record, *earlier);
  if (lenient(index)) return;
  const Login login = login_of(now.value);
  for (const std::string& system : ground_.subjects[index].systems) {
    if (!verified_.contains({system, login})) fail("I5", index, "published before a login with it was seen at " + system);
  }
  const bool both_ours = tags.owner == owner_ && before.owner == owner_;
  if (both_ours && tags.generation < before.generation) fail("I9", index, "a lower generation was published over a higher one");
  const auto run = runs_.find(tags.run);
  if (run == runs_.end()) return;
  const api::RotationRun& record = run->second.record;
  const bool old_again = tags.credential == record.spec.old_credential && tags.credential != record.spec.credential;
  const bool past_return = record.status.phase == Phase::Retiring || record.status.phase == Phase::Succeeded;
  if (old_again && past_return) fail("I7", index, "the old value was published after the point of no return");
  // Services that share a key send the old one until all of them accept the new one, whatever the reason.
  const Phase phase = record.status.phase;
  const bool on_the_way =
      ground_.subjects[index].protocol == api::Protocol::SharedKey && phase != Phase::RollingBack && phase != Phase::Withdrawing;
  const bool compromised = record.spec.reason == api::Reason::ConfirmedCompromise;
  if (old_again && compromised && !on_the_way) fail("I13", index, "a compromised value was published again");
}

void Oracle::withdrawing(std::size_t index, const Login& login) {
  if (lenient(index)) return;
  const Subject& subject = ground_.subjects[index];
  for (const std::string& vault : subject.vaults) {
    const StoredVersion* newest = ground_.published(index, vault);
    if (newest && login_of(newest->value) == login) fail("I6", index, "withdrawn while " + vault + " returns it");
  }
  for (const std::string& name : subject.consumers) {
    const Application& application = ground_.applications.at(name);
    if (counts(index, application) && login_of(application.value) == login) fail("I6", index, "withdrawn while " + name + " uses it");
  }
}

void Oracle::restarting(std::size_t index, const std::string& value) {
  const Login login = login_of(value);
  if (ground_.accepted_everywhere(index, login)) return;
  const bool unseen = lenient(index) && (!long_ago(by_hand_.at(index)) || !refused_for_long(index, login));
  if (!unseen) fail("I8", index, "a consumer was restarted into a value that is not accepted");
}

// ---- what was there long enough to be seen -------------------------------------------------------------------------------------

void Oracle::note_refusals(std::size_t subject) {
  for (const std::string& name : ground_.subjects[subject].systems) {
    const std::vector<Login> now = ground_.systems.at(name).accepted();
    std::set<Login>& before = accepted_before_[name];
    for (const Login& login : now) {
      before.insert(login);
      refused_since_.erase({name, login});
    }
    for (const Login& login : before) {
      if (!ground_.systems.at(name).accepts(login)) refused_since_.try_emplace({name, login}, clock_.boot_now());
    }
  }
}

bool Oracle::long_ago(BootInstant then) const { return clock_.boot_now() - std::max(then, resumed_) > look_to_effect_max; }

bool Oracle::refused_for_long(std::size_t subject, const Login& login) const {
  const std::vector<std::string>& systems = ground_.subjects[subject].systems;
  return std::any_of(systems.begin(), systems.end(), [&](const std::string& name) {
    const auto since = refused_since_.find({name, login});
    return since != refused_since_.end() && long_ago(since->second);
  });
}

void Oracle::authority(bool given) {
  if (given) {
    unbound_since_.reset();
  } else if (!unbound_since_) {
    unbound_since_ = clock_.boot_now();
  }
}

void Oracle::leaving(const std::string& what) {
  if (unbound_since_ && clock_.boot_now() - *unbound_since_ > authority_grace) fail("I12", 0, "left without a binding: " + what);
}

// ---- the journal ---------------------------------------------------------------------------------------------------------------

void Oracle::journalled(const boost::json::object& object) {
  auto decoded = api::decode_rotation_run(object);
  if (!decoded) return;
  Run run{.record = std::move(*decoded)};
  const auto subject = std::find_if(ground_.subjects.begin(), ground_.subjects.end(),
                                    [&](const Subject& one) { return one.secret == run.record.spec.frozen.secret.name; });
  if (subject == ground_.subjects.end()) return;
  run.subject = static_cast<std::size_t>(subject - ground_.subjects.begin());
  const auto before = runs_.find(run.record.meta.name);
  const Phase from = before == runs_.end() ? Phase::Admitted : before->second.record.status.phase;
  const bool moves = before == runs_.end() || from != run.record.status.phase;
  const bool ends =
      api::is_terminal(run.record.status.phase) && (before == runs_.end() || !api::is_terminal(before->second.record.status.phase));
  Run& kept = runs_[run.record.meta.name] = std::move(run);
  if (kept.record.spec.reason == api::Reason::ConfirmedCompromise) compromised_.insert(kept.subject);
  check_one_run_per_identity(kept);
  check_step(kept, from);
  if (runs_.size() > runs_max) fail("L1", kept.subject, "begins runs without end");
  if (ends && kept.record.status.phase == Phase::Succeeded) check_success(kept);
  if (ends && !kept.record.status.staged_version.empty()) {
    succeeded += kept.record.status.phase == Phase::Succeeded;
    rolled_back += kept.record.status.phase == Phase::RolledBack;
  }
  if (ends) abandoned += kept.record.status.phase == Phase::Abandoned;
  changed(kept.subject, "journal");  // the windows move with the phase
  if (moves && phase_begins_) phase_begins_(kept.subject, kept.record);
}

void Oracle::restored(const std::vector<boost::json::object>& kept) {
  for (std::size_t i = 0; i < ground_.subjects.size(); ++i) {
    if (in_switch_window(i) || in_reload_window(i)) cut_off_.insert(i);
  }
  restored_ = true;
  runs_.clear();
  for (const boost::json::object& object : kept) {
    auto decoded = api::decode_rotation_run(object);
    if (!decoded) continue;
    for (std::size_t i = 0; i < ground_.subjects.size(); ++i) {
      if (ground_.subjects[i].secret == decoded->spec.frozen.secret.name) runs_[decoded->meta.name] = {i, *decoded};
    }
  }
}

void Oracle::check_one_run_per_identity(const Run& run) {
  if (api::is_terminal(run.record.status.phase)) return;
  for (const auto& [name, other] : runs_) {
    const bool another = other.record.meta.name != run.record.meta.name && !api::is_terminal(other.record.status.phase);
    if (another && other.record.spec.identity == run.record.spec.identity) fail("I10", run.subject, "two unfinished runs of one identity");
  }
}

void Oracle::check_step(const Run& run, Phase before) {
  const Phase now = run.record.status.phase;
  if (before == Phase::Admitted && now == Phase::Staging) check_old_accepted(run, "P2");
  const api::Protocol protocol = run.record.spec.protocol;
  const bool both_live = two_live(protocol) && protocol != api::Protocol::Shift;
  const bool reports = run.record.spec.frozen.strategy.drift_policy == api::DriftPolicy::Report;
  if (before == Phase::Switching && now == Phase::Publishing && both_live && reports) check_old_accepted(run, "P3");
}

void Oracle::check_old_accepted(const Run& run, const std::string& property) {
  if (run.record.spec.direction == api::Direction::Repair) return;
  for (const std::string& name : ground_.subjects[run.subject].vaults) {
    const StoredVersion* old = ground_.vaults.at(name).find(ground_.subjects[run.subject].secret, run.record.status.old_version);
    if (old && refused_for_long(run.subject, login_of(old->value))) fail(property, run.subject, "goes on, and the old value is refused");
  }
}

std::string Oracle::value_of(const VersionId& version) const {
  for (const auto& [vault, held] : ground_.vaults) {
    for (const auto& [secret, versions] : held.secrets) {
      for (const StoredVersion& one : versions) {
        if (one.about.id == version) return one.value;
      }
    }
  }
  return {};
}

// I14. What an adoption records was found, not brought about.
void Oracle::check_success(const Run& run) {
  const std::size_t index = run.subject;
  const Subject& subject = ground_.subjects[index];
  if (run.record.status.staged_version.empty() || (lenient(index) && !long_ago(by_hand_.at(index)))) return;
  const StoredVersion* first = ground_.published(index, subject.vaults.front());
  if (!first) return;
  const Login login = login_of(first->value);
  for (const std::string& vault : subject.vaults) {
    const StoredVersion* newest = ground_.published(index, vault);
    // What is repaired may be published already, by the run that brought it in, or by whoever did before Keyturn came.
    const bool repairs = run.record.spec.direction == api::Direction::Repair;
    const bool was_there = repairs && newest && newest->about.id == run.record.spec.reuse_version;
    const bool by_this_run = newest && (repairs || newest->about.tags.run == run.record.meta.name);
    const bool named = by_this_run && newest->about.tags.credential == run.record.spec.credential;
    // Where somebody's hand was faster, what it published is what the run would have.
    const bool same = lenient(index) && newest && newest->value == value_of(run.record.status.staged_version);
    if (!named && !was_there && !same) fail("I14", index, "success, and " + vault + " does not return the new value");
  }
  if (!ground_.accepted_everywhere(index, login)) fail("I14", index, "success, and the new value is not accepted");
  for (const std::string& name : subject.consumers) {
    const auto& wanted = run.record.spec.frozen.consumers;
    const bool concerned = std::any_of(wanted.begin(), wanted.end(), [&](const api::ConsumerRef& one) { return one.name == name; });
    const Application& application = ground_.applications.at(name);
    if (concerned && application.running && application.value != first->value)
      fail("I14", index, "success, and " + name + " uses another value");
  }
  if (!lenient(index) && !restored_) check_one_left(index);
}

// Where the provider makes the values, it keeps the old one until it needs its place.
void Oracle::check_one_left(std::size_t index) {
  const Subject& subject = ground_.subjects[index];
  if (subject.protocol == api::Protocol::SharedKey) {
    for (const std::string& vault : subject.vaults) {
      const std::size_t accepted = keys_of(ground_.published(index, vault)->value).accept.size();
      if (accepted != 1) fail("I14", index, "success, and " + vault + " accepts " + std::to_string(accepted) + " keys");
    }
  }
  if (!two_live(subject.protocol) || is_minted(subject.protocol)) return;
  for (const std::string& name : subject.systems) {
    const std::size_t live = ground_.systems.at(name).accepted().size();
    if (live != 1) fail("I14", index, "success, and " + name + " accepts " + std::to_string(live) + " credentials");
  }
}

}  // namespace keyturn::simulation
