#include "tests/simulation/seed_run.h"

#include <algorithm>

#include "tests/simulation/nemesis.h"
#include "tests/simulation/settled.h"

namespace keyturn::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t bit(FaultKind kind) { return std::uint64_t{1} << static_cast<unsigned>(kind); }
constexpr std::uint64_t beyond_the_promise = bit(FaultKind::PastQuarantine) | bit(FaultKind::SuspendAfterCheck);
constexpr Duration heal_at_most = hours(48);
constexpr std::uint64_t events_of_peace_max = 300'000;
// Longer than any pause that is meant: the longest back-off between two attempts.
constexpr Duration stuck_after = hours(3);

// Each world knows a random half of the faults: a world with all of them never gets far enough for any.
std::uint64_t some_kinds(Draw& draw) {
  std::uint64_t kinds = 0;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) kinds |= draw.below(2) << kind;
  if (!draw.one_in(20)) kinds &= ~beyond_the_promise;
  if (!draw.one_in(4)) kinds &= ~bit(FaultKind::Human);
  if (!draw.one_in(4)) kinds &= ~bit(FaultKind::RestoredBackup);
  return kinds;
}

api::Timing some_timing(Draw& draw) {
  api::Timing timing;
  if (draw.one_in(4)) return timing;  // as against the real Azure
  // Most of what a world costs is looking at what has not changed.
  timing.poll = seconds(5 + static_cast<Duration::rep>(draw.below(16)));
  timing.server_residual = seconds(20 + 20 * static_cast<Duration::rep>(draw.below(4)));
  timing.soak = draw.one_in(3) ? Duration(seconds(5)) : Duration(minutes(1 + static_cast<Duration::rep>(draw.below(10))));
  timing.publish_deadline = draw.one_in(2) ? Duration(minutes(1)) : Duration(minutes(10));
  return timing;
}

// Most worlds are small: one secret and a few wishes. What goes wrong there goes wrong soon. In a rush, wishes follow each other within
// the time in which a request may still land, and requests are what goes wrong.
struct Size {
  std::size_t subjects = 1;
  Duration span = minutes(40);
  int acts = 2;
  bool rush = false;
};
constexpr std::uint64_t effects_of_a_rush = bit(FaultKind::LostReply) | bit(FaultKind::Dropped) | bit(FaultKind::Late) |
                                            bit(FaultKind::Slow) | bit(FaultKind::CrashAfterSend) | bit(FaultKind::CrashAfterEffect);
constexpr std::uint64_t two_in_a_rush = effects_of_a_rush | bit(FaultKind::SuspendBeforeSend) | bit(FaultKind::SecondLeader);

std::uint64_t some_of_a_rush(Draw& draw) {
  const std::uint64_t human = draw.one_in(4) ? bit(FaultKind::Human) : 0;
  const std::uint64_t struck[] = {bit(FaultKind::Late), bit(FaultKind::Late), effects_of_a_rush, two_in_a_rush, two_in_a_rush};
  return human | struck[draw.below(std::size(struck))];
}

Size some_size(Draw& draw) {
  if (draw.one_in(3)) {
    return {.span = minutes(5 + static_cast<Duration::rep>(draw.below(15))), .acts = 3 + static_cast<int>(draw.below(5)), .rush = true};
  }
  if (!draw.one_in(6)) {
    return {.subjects = 1, .span = minutes(20 + static_cast<Duration::rep>(draw.below(40))), .acts = 1 + static_cast<int>(draw.below(4))};
  }
  return {.subjects = 1 + draw.below(3),
          .span = hours(1 + static_cast<Duration::rep>(draw.below(3))),
          .acts = 4 + static_cast<int>(draw.below(12))};
}

WorldSettings some_world(std::uint64_t seed, Draw& draw, std::uint64_t kinds, std::size_t subjects) {
  WorldSettings settings{.seed = seed, .timing = some_timing(draw)};
  settings.slow_to_start = draw.one_in(6);
  settings.rates_differ = (kinds & bit(FaultKind::ClockRate)) != 0;
  constexpr api::Protocol protocols[] = {api::Protocol::Single, api::Protocol::Dual,  api::Protocol::Alternating,
                                         api::Protocol::Slots,  api::Protocol::Shift, api::Protocol::SharedKey};
  for (std::size_t i = 0; i < subjects; ++i) {
    settings.subjects.push_back({.protocol = protocols[draw.below(std::size(protocols))],
                                 .vaults = draw.one_in(3) ? 2 : 1,
                                 .systems = draw.one_in(4) ? 2 : 1,
                                 .consumers = 1 + static_cast<int>(draw.below(3)),
                                 .stranger = draw.one_in(2)});
  }
  return settings;
}

std::uint64_t some_odds(Draw& draw) {
  constexpr std::uint64_t odds[] = {0, 400, 100, 40, 15};
  return odds[draw.below(std::size(odds))];
}

// No value that a system ever accepted may stand in anything that is stored.
std::optional<Violation> leaked(World& world) {
  const std::string all = world.everything_stored();
  for (const auto& [name, vault] : world.ground().vaults) {
    for (const auto& [secret, versions] : vault.secrets) {
      for (const StoredVersion& version : versions) {
        for (const std::string& word : words_of(version.value)) {
          if (!word.empty() && all.find(word) != std::string::npos) return Violation{"I11", "a value stands in a stored object"};
        }
      }
    }
  }
  return {};
}

std::optional<Violation> live_through(World& world, Draw& draw, std::uint64_t kinds, const Size& size) {
  const bool differ = world.settings().rates_differ;
  world.start_process("leader-1",
                      differ ? ProcessClock::exact / 100 * (95 + static_cast<std::int64_t>(draw.below(11))) : ProcessClock::exact);
  if (differ) world.faults().count(FaultKind::ClockRate);
  People people(world, draw);
  people.declare_all();
  if (!world.run_until([&] { return what_is_missing(world, people).empty(); }, minutes(30), seconds(30))) {
    if (world.oracle().violation()) return world.oracle().violation();
    return Violation{"L1", "what was found was not adopted: " + what_is_missing(world, people)};
  }
  world.note("world", "is adopted");

  world.restart_after(draw.one_in(3) ? Duration(minutes(10)) : Duration(seconds(5)));
  if (size.rush) {
    world.faults().allow(kinds, 2 + draw.below(8), Faults::Among::Effects);
  } else {
    world.faults().allow(kinds, some_odds(draw));
  }
  if ((kinds & beyond_the_promise) != 0) world.oracle().demand_repair_only();
  Nemesis nemesis(world, draw, kinds, size.span);
  constexpr api::Phase wavering[] = {api::Phase::Switching, api::Phase::Publishing, api::Phase::Rolling, api::Phase::Verifying,
                                     api::Phase::Retiring};
  const bool by_hand = (kinds & bit(FaultKind::Human)) != 0;
  if (by_hand || draw.one_in(size.rush ? 2 : 3)) people.waver_in(wavering[draw.below(std::size(wavering))], by_hand);
  if (by_hand) people.meddle(size.span);
  if (draw.one_in(3)) people.forget_somebody(size.span);
  if (size.rush || draw.one_in(2)) {
    people.hurry(size.span, size.acts);
  } else {
    people.plan(size.span, size.acts, by_hand);
  }
  if (!world.run_for(size.span)) return world.oracle().violation();

  world.faults().stop();
  world.must_rest_within(events_of_peace_max);
  nemesis.heal();
  people.heal();
  world.restart_after(seconds(5));
  // What still travels may land for a while; after that nothing disturbs.
  if (!world.run_for(minutes(30))) return world.oracle().violation();
  if (!world.run_until([&] { return half_changed(world, people).empty(); }, hours(6), minutes(10))) {
    return world.oracle().violation() ? world.oracle().violation() : Violation{"P4", half_changed(world, people)};
  }
  people.resume();
  const BootInstant resumed = world.context().clock().boot_now();
  std::string missing = what_is_missing(world, people);
  const auto ends = [&] {
    missing = what_is_missing(world, people);
    const BootInstant last_change = std::max(world.oracle().last_change(), resumed);
    return missing.empty() || world.context().clock().boot_now() - last_change > stuck_after;
  };
  world.run_until(ends, heal_at_most, minutes(20));
  if (world.oracle().violation()) return world.oracle().violation();
  if (!missing.empty()) return Violation{"L1", "never comes to a good end: " + missing};
  return leaked(world);
}

}  // namespace

SeedResult run_seed(std::uint64_t seed) {
  Draw draw(seed, 1);
  const Size size = some_size(draw);
  const std::uint64_t kinds = size.rush ? some_of_a_rush(draw) : some_kinds(draw);
  World world(some_world(seed, draw, kinds, size.subjects));
  SeedResult result{.seed = seed};
  result.violation = live_through(world, draw, kinds, size);
  const auto seconds_lived = std::chrono::duration_cast<seconds>(world.elapsed()).count();
  const Oracle& oracle = world.oracle();
  result.counts = {1,
                   result.violation.has_value(),
                   static_cast<std::uint64_t>(seconds_lived),
                   oracle.succeeded,
                   oracle.rolled_back,
                   oracle.abandoned,
                   oracle.forgiven(),
                   world.faults().requests()};
  result.counts.insert(result.counts.end(), world.faults().counts().begin(), world.faults().counts().end());
  result.trace = world.trace().text();
  result.digest = world.trace().digest();
  return result;
}

}  // namespace keyturn::simulation
