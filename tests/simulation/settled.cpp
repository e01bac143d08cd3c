#include "tests/simulation/settled.h"

#include "api/codec.h"
#include "api/reasons.h"

namespace keyturn::simulation {
namespace {

namespace reason = api::reason;

const api::Condition* true_condition(const api::SecretRotation& rotation, std::string_view type) {
  const api::Condition* found = api::find_condition(rotation.status.conditions, type);
  return found && found->status == api::Tristate::True ? found : nullptr;
}

// Everybody on one value, and nothing left over.
std::string missing_on_the_ground(World& world, const People& people, std::size_t index) {
  Ground& ground = world.ground();
  const Subject& subject = ground.subjects[index];
  const StoredVersion* first = ground.published(index, subject.vaults.front());
  if (!first) return "the secret is gone";
  for (const std::string& vault : subject.vaults) {
    const StoredVersion* newest = ground.published(index, vault);
    if (!newest || newest->value != first->value) return vault + " returns another value than " + subject.vaults.front();
  }
  if (!ground.accepted_everywhere(index, login_of(first->value))) return "what is published is not accepted";
  for (const std::string& name : subject.consumers) {
    const Application& application = ground.applications.at(name);
    if (!application.running || application.value != first->value) return name + " does not use what is published";
  }
  // What somebody added by hand, or a run that the journal has lost, nobody knows of; and a provider keeps the old value until it needs
  // its place.
  const bool lost = people.explains(index, reason::journal_behind);
  if (world.oracle().by_hand(index) || lost || is_minted(subject.protocol)) return {};
  if (subject.protocol == api::Protocol::SharedKey && keys_of(first->value).accept.size() != 1) return "more than one key is accepted";
  for (const std::string& name : subject.systems) {
    const std::size_t live = ground.systems.at(name).accepted().size();
    if (live != 1) return name + " accepts " + std::to_string(live) + " credentials";
  }
  return {};
}

std::string missing_in_staging(World& world, std::size_t index) {
  const Subject& subject = world.ground().subjects[index];
  for (const auto& [name, vault] : world.ground().vaults) {
    for (const auto& [secret, versions] : vault.secrets) {
      if (!secret.starts_with(staging_prefix)) continue;
      for (const StoredVersion& version : versions) {
        const auto run = world.oracle().runs().find(version.about.tags.run);
        const bool mine = run != world.oracle().runs().end() && world.ground().subjects[run->second.subject].secret == subject.secret;
        if (mine && version.about.enabled) return "a staged value is still enabled";
      }
    }
  }
  return {};
}

}  // namespace

std::string what_is_missing(World& world, const People& people, std::size_t index) {
  const auto rotation = world.rotation(index);
  if (!rotation) return "the rotation is gone";
  if (const Oracle::Run* run = world.oracle().unfinished(index)) {
    const std::string& blocked = run->record.status.blocked;
    // Somebody's consumer is on a login that their hand has put there: nobody takes it from them.
    const bool waits_for_people = run->record.status.phase == api::Phase::Staging && world.oracle().by_hand(index);
    if (waits_for_people) return {};
    if (!blocked.empty() && people.explains(index, blocked)) return {};
    return "run " + run->record.meta.name + " rests in " + std::string(api::name_of(run->record.status.phase)) +
           (blocked.empty() ? ", and nobody is told why" : ", Blocked(" + blocked + ")");
  }
  if (rotation->status.observed_generation != rotation->meta.generation) return "the last edit was not seen";
  if (const api::Condition* stalled = true_condition(*rotation, "Stalled")) {
    if (!people.explains(index, stalled->reason)) return "stalled: " + stalled->reason + ": " + stalled->message;
    // What cannot be had does not excuse what is: unless somebody's hand was in it, all is still well with what there is.
    return world.oracle().by_hand(index) || stalled->reason == reason::journal_behind ? std::string{}
                                                                                      : missing_on_the_ground(world, people, index);
  }
  const api::Condition* ready = true_condition(*rotation, "Ready");
  if (!ready) {
    const api::Condition* told = api::find_condition(rotation->status.conditions, "Ready");
    const bool drifted = told && told->reason == reason::verification_lost;
    const bool reported =
        drifted && (world.oracle().by_hand(index) || world.oracle().forgiven() > 0 || people.explains(index, reason::journal_behind));
    if (reported) return {};
    return "not ready: " + (told ? told->reason + ": " + told->message : std::string("unknown"));
  }
  if (std::string missing = missing_on_the_ground(world, people, index); !missing.empty()) return missing;
  return missing_in_staging(world, index);
}

std::string half_changed(World& world, const People& people) {
  Ground& ground = world.ground();
  for (std::size_t i = 0; i < ground.subjects.size(); ++i) {
    const Oracle::Run* run = world.oracle().unfinished(i);
    const bool told = (run && !run->record.status.blocked.empty()) || people.explains(i, reason::baseline);
    if (!people.suspends(i) || told) continue;
    const StoredVersion* newest = ground.published(i, ground.subjects[i].vaults.front());
    const bool accepted = newest && ground.accepted_everywhere(i, login_of(newest->value));
    if (!accepted || !world.oracle().all_logged_in(i))
      return ground.subjects[i].rotation.name + " rests half changed while it is suspended";
  }
  return {};
}

std::string what_is_missing(World& world, const People& people) {
  for (std::size_t i = 0; i < world.ground().subjects.size(); ++i) {
    if (std::string missing = what_is_missing(world, people, i); !missing.empty()) {
      return world.ground().subjects[i].rotation.name + ": " + missing;
    }
  }
  return {};
}

}  // namespace keyturn::simulation
