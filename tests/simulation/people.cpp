#include "tests/simulation/people.h"

#include <algorithm>

#include "api/reasons.h"

namespace keyturn::simulation {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
namespace reason = api::reason;

}  // namespace

void People::declare_all() {
  for (std::size_t i = 0; i < world_.ground().subjects.size(); ++i) {
    api::SecretRotationSpec spec = world_.first_spec(i);
    spec.strategy.drift_policy = draw_.one_in(3) ? api::DriftPolicy::Enforce : api::DriftPolicy::Report;
    spec.strategy.waves.max_unavailable = 1 + static_cast<int>(draw_.below(2));
    if (draw_.one_in(2)) spec.strategy.overlap = seconds(draw_.below(60));
    wanted_[i] = spec;
    world_.declare(i, spec);
  }
}

void People::want(std::size_t subject, const api::SecretRotationSpec& spec) {
  wanted_[subject] = spec;
  world_.declare(subject, spec);
}

void People::want(std::size_t subject, const std::string& revision) {
  api::SecretRotationSpec spec = wanted_.at(subject);
  spec.revision = revision;
  want(subject, spec);
}

void People::plan(Duration span, int acts, bool by_hand) {
  for (int i = 0; i < acts; ++i) {
    world_.later(draw_.between(Duration{0}, span), [this, by_hand] {
      if (!healed_) act(by_hand);
    });
  }
}

void People::hurry(Duration span, int acts) {
  for (int i = 0; i < acts; ++i) {
    world_.later(draw_.between(Duration{0}, span), [this] {
      if (healed_) return;
      const std::size_t subject = draw_.below(world_.ground().subjects.size());
      const bool compromised = draw_.one_in(8);
      if (compromised) raise_the_floor(wanted_[subject], subject);
      const std::string what = compromised ? "raise the floor" : want_another_revision(wanted_[subject]);
      world_.note("people", world_.ground().subjects[subject].rotation.name + ": " + what);
      world_.declare(subject, wanted_[subject]);
    });
  }
}

void People::waver_in(api::Phase phase, bool by_hands) {
  constexpr Wavering ways[] = {Wavering::WantBack, Wavering::WantBack, Wavering::Suspend, Wavering::Copy};
  const Wavering how = by_hands ? Wavering::ByHand : ways[draw_.below(std::size(ways))];
  world_.oracle().when_a_phase_begins([this, phase, how](std::size_t subject, const api::RotationRun& run) {
    const std::string& before = run.spec.old_credential.revision;
    if (healed_ || run.status.phase != phase || before.empty() || !draw_.one_in(2)) return;
    // Undisturbed, a phase lasts for a fraction of a second.
    const Duration soon = draw_.one_in(2) ? Duration(milliseconds(300)) : Duration(seconds(20));
    world_.later(draw_.between(Duration{0}, soon), [this, subject, how, before] {
      if (!healed_) waver(subject, how, before);
    });
  });
}

void People::meddle(Duration span) {
  world_.later(draw_.between(Duration{0}, span), [this] {
    if (!healed_) by_hand(draw_.below(world_.ground().subjects.size()));
  });
}

void People::waver(std::size_t subject, Wavering how, const std::string& before) {
  switch (how) {
    case Wavering::ByHand:
      if (draw_.one_in(2)) close_for_maintenance(subject);
      return by_hand(subject);
    case Wavering::Copy:
      return copy(subject);
    case Wavering::Suspend:
      wanted_[subject].suspend = true;
      world_.note("people", world_.ground().subjects[subject].rotation.name + ": suspend in the middle of it");
      break;
    case Wavering::WantBack:
      wanted_[subject].revision = before;
      world_.note("people", world_.ground().subjects[subject].rotation.name + ": change their mind, want " + before + " again");
      break;
  }
  world_.declare(subject, wanted_[subject]);
}

void People::raise_the_floor(api::SecretRotationSpec& spec, std::size_t subject) {
  spec.issued_not_before = world_.context().clock().now();
  did_.insert({subject, Did::RaisedFloor});
}

// An earlier one nearly as often as a new one.
std::string People::want_another_revision(api::SecretRotationSpec& spec) {
  const bool again = revisions_ > 0 && draw_.below(7) < 3;
  spec.revision = "r" + std::to_string(again ? static_cast<int>(draw_.below(static_cast<std::uint64_t>(revisions_) + 1)) : ++revisions_);
  return "want " + spec.revision + (again ? " again" : "");
}

void People::act(bool by_hands) {
  const std::size_t subject = draw_.below(world_.ground().subjects.size());
  switch (draw_.below(13)) {
    case 0:
      return delete_and_declare(subject);
    case 1:
      if (by_hands) return by_hand(subject);
      return edit(subject);
    case 2:
      return unbind();
    case 3:
      return copy(subject);
    default:
      return edit(subject);
  }
}

std::string People::change(api::SecretRotationSpec& spec, std::size_t subject) {
  switch (draw_.below(13)) {
    case 0:
      spec.suspend = !spec.suspend;
      return spec.suspend ? "suspend" : "resume";
    case 1:
      if (spec.pin_serial) {
        spec.pin_serial.reset();
        return "unpin";
      }
      did_.insert({subject, Did::Pinned});
      spec.pin_serial = 1 + static_cast<int>(draw_.below(2));
      return "pin";
    case 2:
      spec.strategy.overlap = draw_.between(Duration{0}, hours(2));
      return "another overlap";
    case 3:
      spec.strategy.waves.max_unavailable = 1 + static_cast<int>(draw_.below(3));
      if (draw_.one_in(2) && spec.consumers.size() > 1) {
        spec.strategy.waves.canary = {spec.consumers.back().name};
        spec.strategy.waves.bake = draw_.between(Duration{0}, minutes(10));
      } else {
        spec.strategy.waves.canary.clear();
        spec.strategy.waves.bake = Duration{0};
      }
      return "other waves";
    case 4:
      spec.strategy.drift_policy =
          spec.strategy.drift_policy == api::DriftPolicy::Report ? api::DriftPolicy::Enforce : api::DriftPolicy::Report;
      return "another drift policy";
    case 5:
      spec.strategy.on_failure = spec.strategy.on_failure == api::OnFailure::Rollback ? api::OnFailure::Hold : api::OnFailure::Rollback;
      did_.insert({subject, Did::Held});
      return "another reaction to failure";
    default:
      return want_another_revision(spec);
  }
}

void People::edit(std::size_t subject) {
  api::SecretRotationSpec& spec = wanted_[subject];
  std::string what;
  if (draw_.one_in(12)) {
    raise_the_floor(spec, subject);
    what = "raise the floor";
  } else {
    what = change(spec, subject);
  }
  world_.note("people", world_.ground().subjects[subject].rotation.name + ": " + what);
  world_.declare(subject, spec);
}

void People::delete_and_declare(std::size_t subject) {
  world_.note("people", world_.ground().subjects[subject].rotation.name + ": delete");
  did_.insert({subject, Did::Deleted});
  remove_copy(subject);
  world_.remove(world_.ground().subjects[subject].rotation);
  world_.later(draw_.between(seconds(1), hours(1)), [this, subject] { declare_again(subject); });
}

// Not before the old object is gone: what is changed on it goes with it.
void People::declare_again(std::size_t subject) {
  const auto present = world_.rotation(subject);
  if (present && present->meta.deleted) return world_.later(minutes(1), [this, subject] { declare_again(subject); });
  world_.note("people", world_.ground().subjects[subject].rotation.name + ": declare again");
  world_.declare(subject, wanted_[subject]);
}

void People::unbind() {
  world_.note("people", "take the binding away");
  world_.edit_environment([](api::RotationEnvironmentSpec& spec) { spec.bindings.front().secrets = {"nothing"}; });
  world_.oracle().authority(false);
  world_.later(draw_.between(seconds(1), minutes(30)), [this] {
    world_.note("people", "give the binding back");
    world_.edit_environment([](api::RotationEnvironmentSpec& spec) { spec.bindings.front().secrets = {"*"}; });
    world_.oracle().authority(true);
  });
}

void People::by_hand(std::size_t index) {
  world_.faults().count(FaultKind::Human);
  const Subject& subject = world_.ground().subjects[index];
  const Login login{draw_.pick(subject.principals), "by-hand-" + std::to_string(draw_.below(1'000'000))};
  world_.note("people", subject.rotation.name + ": change things by hand");
  const auto what = draw_.below(4);
  world_.oracle().touched_by_hand(index, what != 0);
  if (what == 3) return world_.ground().purge_staged(index);
  if (what != 0) {
    const bool alone = draw_.one_in(2);
    for (const std::string& system : subject.systems) world_.ground().set_by_hand(system, login, alone);
  }
  const std::string owner = draw_.one_in(3) ? "another-installation" : "";
  if (what != 1) world_.ground().publish_by_hand(index, login, owner);
}

// What they change, they take out of service meanwhile, and now and then a neighbour.
void People::close_for_maintenance(std::size_t index) {
  const Subject& subject = world_.ground().subjects[index];
  std::vector<std::string> names = subject.systems;
  names.insert(names.end(), subject.consumers.begin(), subject.consumers.end());
  const std::string name = draw_.pick(names);
  world_.note("people", name + " is closed for maintenance");
  world_.faults().count(FaultKind::Outage);
  world_.stop_system(name);
  world_.later(draw_.between(minutes(2), minutes(15)), [this, name] { world_.restore_system(name); });
}

// A manifest that was copied and given another name: it names the same login and the same secret.
void People::copy(std::size_t subject) {
  const auto present = world_.rotation(subject);
  if (copies_.contains(subject) || !present || present->meta.deleted) return;
  const ObjectKey& original = world_.ground().subjects[subject].rotation;
  const ObjectKey& key = copies_[subject] = {original.ns, "copy-of-" + original.name};
  api::SecretRotationSpec spec = wanted_[subject];
  spec.revision = "copied";
  world_.note("people", key.name + ": declare");
  world_.declare(key, spec);
  world_.later(draw_.between(minutes(1), hours(1)), [this, subject] { remove_copy(subject); });
}

void People::remove_copy(std::size_t subject) {
  const auto copy = copies_.extract(subject);
  if (copy.empty()) return;
  world_.note("people", copy.mapped().name + ": delete");
  world_.remove(copy.mapped());
}

// ---- who is left out -----------------------------------------------------------------------------------------------------------

void People::forget_somebody(Duration span) {
  for (std::size_t i = 0; i < world_.ground().subjects.size(); ++i) {
    const Subject& subject = world_.ground().subjects[i];
    if (!is_minted(subject.protocol) || subject.consumers.size() < 2) continue;
    const Duration forgotten = draw_.between(Duration{0}, span / 2);
    const std::string name = draw_.pick(subject.consumers);
    world_.later(forgotten, [this, i, name] {
      if (!healed_) forget(i, name);
    });
    world_.later(draw_.between(forgotten, span), [this, i, name] { remember(i, name); });
  }
}

void People::forget(std::size_t subject, const std::string& consumer) {
  world_.note("people", world_.ground().subjects[subject].rotation.name + ": leave " + consumer + " out");
  world_.ground().applications.at(consumer).forgotten = true;
  api::SecretRotationSpec& spec = wanted_[subject];
  std::erase_if(spec.consumers, [&](const api::ConsumerRef& one) { return one.name == consumer; });
  spec.strategy.waves.canary.clear();
  world_.declare(subject, spec);
}

void People::remember(std::size_t subject, const std::string& consumer) {
  const auto is_it = [&](const api::ConsumerRef& one) { return one.name == consumer; };
  std::vector<api::ConsumerRef>& named = wanted_[subject].consumers;
  const bool forgotten = world_.ground().applications.at(consumer).forgotten;
  if (!forgotten || std::any_of(named.begin(), named.end(), is_it)) return;
  world_.note("people", world_.ground().subjects[subject].rotation.name + ": name " + consumer + " again");
  for (const api::ConsumerRef& one : world_.first_spec(subject).consumers) {
    if (is_it(one)) named.push_back(one);
  }
  world_.declare(subject, wanted_[subject]);
  world_.later(minutes(2), [this, subject, consumer] { answer_again_for(subject, consumer); });
}

// A run that began without it ends without it; and whoever was locked out meanwhile, people restart.
void People::answer_again_for(std::size_t subject, const std::string& consumer) {
  const Oracle::Run* run = world_.oracle().unfinished(subject);
  const auto names_it = [&](const api::ConsumerRef& one) { return one.name == consumer; };
  const bool left_out = run && std::none_of(run->record.spec.frozen.consumers.begin(), run->record.spec.frozen.consumers.end(), names_it);
  Application& application = world_.ground().applications.at(consumer);
  const bool accepted = application.running && world_.ground().accepted_everywhere(subject, login_of(application.value));
  if (!left_out && !accepted) world_.ground().restart_by_itself(consumer);
  application.forgotten = left_out || !accepted;
  if (application.forgotten) return world_.later(minutes(2), [this, subject, consumer] { answer_again_for(subject, consumer); });
  restart_who_was_left_behind(subject, consumer);
}

// Between two runs nobody but people brings it to what is published.
void People::restart_who_was_left_behind(std::size_t subject, const std::string& consumer) {
  const Application& application = world_.ground().applications.at(consumer);
  const StoredVersion* newest = world_.ground().published(subject, application.vault);
  const bool behind = application.running && newest && application.value != newest->value;
  if (healed_ && behind && !world_.oracle().unfinished(subject)) world_.ground().restart_by_itself(consumer);
  world_.later(minutes(10), [this, subject, consumer] { restart_who_was_left_behind(subject, consumer); });
}

// ---- in the end ----------------------------------------------------------------------------------------------------------------

void People::heal() {
  healed_ = true;
  for (std::size_t i = 0; i < world_.ground().subjects.size(); ++i) {
    remove_copy(i);
    for (const std::string& consumer : world_.ground().subjects[i].consumers) remember(i, consumer);
  }
  world_.edit_environment([](api::RotationEnvironmentSpec& spec) { spec.bindings.front().secrets = {"*"}; });
  world_.oracle().authority(true);
}

void People::resume() {
  for (auto& [subject, spec] : wanted_) {
    spec.suspend = false;
    world_.declare(subject, spec);
  }
}

bool People::explains(std::size_t subject, std::string_view why) const {
  const auto done = [&](Did what) { return did_.contains({subject, what}); };
  const bool human = world_.oracle().by_hand(subject);
  const api::Protocol protocol = world_.ground().subjects[subject].protocol;
  const bool restored = world_.faults().counts()[static_cast<std::size_t>(FaultKind::RestoredBackup)] != 0;
  // Of what a provider made for a run that a restored journal does not know, only people can say what becomes of it.
  const bool made = is_minted(protocol) && restored;
  if (why == reason::drift) return human || made;
  if (why == reason::foreign_publish || why == reason::foreign_owner) return human;
  if (why == reason::value_lost) return world_.faults().counts()[static_cast<std::size_t>(FaultKind::Human)] != 0;
  // Where one credential lives, a run that a restored journal does not know may have been in its switch.
  if (why == reason::baseline) return human || (restored && !two_live(protocol));
  if (why == reason::journal_behind) return restored;
  if (why == reason::pinned_serial_not_found || why == reason::pinned_serial_revoked) return done(Did::Pinned);
  if (why == reason::revision_revoked) return done(Did::RaisedFloor);
  if (why == reason::revision_not_retained) return true;  // an earlier name whose value never came to be published
  if (why == reason::attempts_exhausted) return world_.oracle().rolled_back >= 5;
  // Where it is not to be taken back a human must decide; where it cannot be, only an illness can keep it from going on.
  const bool held = done(Did::Held) || done(Did::RaisedFloor);
  if (why == reason::consumer_unhealthy) return held || protocol == api::Protocol::Shift;
  return held && (why == reason::progress_deadline_exceeded || why == reason::publish_deadline_exceeded);
}

}  // namespace keyturn::simulation
