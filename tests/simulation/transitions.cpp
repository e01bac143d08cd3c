#include "tests/simulation/transitions.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "tests/simulation/settled.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// What everybody outside sees of a world: values, not versions, for going back publishes an earlier value anew.
std::string state_of(World& world) {
  Ground& ground = world.ground();
  std::string state;
  for (std::size_t i = 0; i < ground.subjects.size(); ++i) {
    const Subject& subject = ground.subjects[i];
    for (const std::string& vault : subject.vaults) {
      const StoredVersion* newest = ground.published(i, vault);
      state += vault + " returns " + (newest ? world.trace().name_of_value(newest->value) : "nothing") + "\n";
    }
    for (const std::string& name : subject.systems) {
      if (is_minted(subject.protocol)) continue;  // what nobody uses any more stays there until its place is needed
      for (const Login& login : ground.systems.at(name).accepted()) {
        state += name + " accepts " + world.trace().name_of_value(render(login)) + "\n";
      }
    }
    for (const std::string& name : subject.consumers) {
      state += name + " uses " + world.trace().name_of_value(ground.applications.at(name).value) + "\n";
    }
    const auto rotation = world.rotation(i);
    const auto& current = rotation ? rotation->status.current : std::optional<api::CredentialStatus>{};
    state += "current " + (current ? current->name.to_string() : std::string("none")) + "\n";
  }
  return state;
}

WorldSettings small_world(std::uint64_t seed, Draw& draw) {
  // Not the shift register: its provider drops what was there before the last two.
  constexpr api::Protocol protocols[] = {api::Protocol::Single, api::Protocol::Dual, api::Protocol::Alternating, api::Protocol::Slots,
                                         api::Protocol::SharedKey};
  api::Timing timing;
  timing.server_residual = seconds(20);
  timing.soak = minutes(1);
  timing.poll = seconds(10);
  return {.seed = seed,
          .subjects = {{.protocol = protocols[draw.below(std::size(protocols))],
                        .vaults = draw.one_in(3) ? 2 : 1,
                        .systems = draw.one_in(4) ? 2 : 1,
                        .consumers = 1 + static_cast<int>(draw.below(2))}},
          .timing = timing};
}

// Empty = the state was restored.
std::string transition(std::uint64_t seed, std::string& trace) {
  Draw draw(seed, 5);
  World world(small_world(seed, draw));
  People people(world, draw);
  const auto settle = [&](Duration at_most) {
    return world.run_until([&] { return what_is_missing(world, people).empty(); }, at_most, minutes(1));
  };
  const auto ended = [&](const std::string& how) {
    trace = world.trace().text();
    if (world.oracle().violation()) return world.oracle().violation()->invariant + ": " + world.oracle().violation()->message;
    return how;
  };
  world.start_process("leader-1");
  people.declare_all();
  if (!settle(minutes(30))) return ended("S1 is not reached: " + what_is_missing(world, people));
  const api::SecretRotationSpec before = people.wanted(0);
  const std::string first = state_of(world);
  api::SecretRotationSpec other = before;
  std::string what;
  for (std::uint64_t i = 1 + draw.below(3); i > 0; --i) what += people.change(other, 0) + ", ";
  world.note("people", what);
  people.want(0, other);
  // Now and then they change their mind in the middle of it.
  const Duration patience = draw.one_in(3) ? draw.between(Duration{0}, minutes(20)) : Duration(hours(2));
  if (!world.run_for(patience)) return ended("");
  people.want(0, before);
  world.note("people", "go back");
  if (!world.run_for(minutes(1))) return ended("");
  if (!settle(hours(24))) return ended("S1 is not reached again from " + what + what_is_missing(world, people));
  const std::string again = state_of(world);
  return ended(again == first ? std::string{} : "from " + what + "the state is another:\n" + first + "-- now --\n" + again);
}

}  // namespace

bool run_transitions(std::uint64_t count, std::uint64_t from, int jobs) {
  const auto started = std::chrono::steady_clock::now();
  std::uint64_t wrong = 0;  // by this worker
  const auto sums = sum_over(count, jobs, [&](std::uint64_t i) {
    std::string trace;
    const std::string difference = transition(from + i, trace);
    if (difference.empty()) return Counts{0};
    if (++wrong <= 2) fmt::print("transition {}: {}\n", from + i, difference);
    if (count == 1) fmt::print("{}", trace);
    std::fflush(stdout);
    return Counts{1};
  });
  if (!sums) {
    fmt::print("a worker DIED\n");
    return false;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("transitions: {} S1 -> S2 -> S1 from {}, {} did not restore S1, {:.1f} s\n", count, from, sums->front(), took);
  return sums->front() == 0;
}

}  // namespace keyturn::simulation
