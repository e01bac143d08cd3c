#include "tests/simulation/nemesis.h"

namespace keyturn::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

}  // namespace

Nemesis::Nemesis(World& world, Draw& draw, std::uint64_t kinds, Duration span) : world_(world), draw_(draw), span_(span) {
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    if ((kinds >> kind & 1U) != 0) plan(static_cast<FaultKind>(kind));
  }
}

// One to `times_max` times, at moments of the span.
void Nemesis::at_some_moment(int times_max, std::function<void()> what) {
  const auto times = 1 + draw_.below(static_cast<std::uint64_t>(times_max));
  for (std::uint64_t i = 0; i < times; ++i) {
    world_.later(draw_.between(Duration{0}, span_), [this, what] {
      if (!healed_) what();
    });
  }
}

void Nemesis::plan(FaultKind kind) {
  const auto counted = [this, kind](auto what) {
    return [this, kind, what] {
      world_.faults().count(kind);
      what();
    };
  };
  switch (kind) {
    case FaultKind::Crash:
      return at_some_moment(4, counted([this] { crash_somebody(); }));
    case FaultKind::Suspend:
      return at_some_moment(3, counted([this] { suspend_somebody(); }));
    case FaultKind::SecondLeader:
      return at_some_moment(3, counted([this] { second_leader(); }));
    case FaultKind::Outage:
      return at_some_moment(2, counted([this] { swizzle(); }));
    case FaultKind::ReadOnlyVault:
      return at_some_moment(2, counted([this] { read_only_vault(); }));
    case FaultKind::StoreOutage:
      return at_some_moment(2, counted([this] {
                              world_.note("nemesis", "the API server is down");
                              world_.stop_system(api_server);
                              world_.later(draw_.between(seconds(5), minutes(10)), [this] { world_.restore_system(api_server); });
                            }));
    case FaultKind::StaleCache:
      return at_some_moment(3, counted([this] {
                              world_.note("nemesis", "watches are late");
                              world_.delay_watches(draw_.between(seconds(1), minutes(30)));
                              world_.later(draw_.between(minutes(1), hours(1)), [this] { world_.delay_watches(Duration{0}); });
                            }));
    case FaultKind::WatchClosed:
      return at_some_moment(3, counted([this] { world_.close_watches(); }));
    case FaultKind::ClockJump:
      return at_some_moment(3, counted([this] { jump_a_clock(); }));
    case FaultKind::SelfRestart:
      return at_some_moment(6, counted([this] {
                              const std::string name = some_application();
                              world_.note(name, "restarts by itself");
                              world_.ground().restart_by_itself(name);
                            }));
    case FaultKind::HealthFlap:
      return at_some_moment(4, counted([this] { flap(false); }));
    case FaultKind::HealthLie:
      return at_some_moment(2, counted([this] { flap(true); }));
    case FaultKind::RestoredBackup:
      return remember_and_restore();
    default:
      return;
  }
}

std::string Nemesis::some_application() {
  std::vector<std::string> names;
  for (const auto& [name, application] : world_.ground().applications) names.push_back(name);
  return draw_.pick(names);
}

void Nemesis::crash_somebody() {
  const auto names = world_.process_names();
  if (names.empty()) return;
  if (Process* process = world_.process(draw_.pick(names))) process->crash("at some moment");
}

void Nemesis::suspend_somebody() {
  const auto names = world_.process_names();
  if (names.empty()) return;
  if (Process* process = world_.process(draw_.pick(names))) process->suspend(draw_.between(seconds(1), minutes(20)));
}

// Now and then for ever, mostly for as long as it takes until one of them notices.
void Nemesis::second_leader() {
  const std::string name = world_.process("leader-2") ? "leader-1" : "leader-2";
  if (world_.process(name)) return;
  const bool differ = world_.settings().rates_differ;
  const std::int64_t rate = differ ? ProcessClock::exact / 100 * (95 + static_cast<std::int64_t>(draw_.below(11))) : ProcessClock::exact;
  world_.start_process(name, rate, draw_.between(-seconds(2), seconds(2)));
  if (draw_.one_in(10)) return;
  // The one that led is stopped later; until then both do.
  const std::string other = name == "leader-2" ? "leader-1" : "leader-2";
  world_.later(draw_.one_in(2) ? draw_.between(seconds(1), minutes(2)) : draw_.between(minutes(2), minutes(20)), [this, other] {
    if (!healed_ && world_.process_names().size() > 1) world_.stop_process(other);
  });
}

// Swizzle-clogging: a random subset goes down one by one and comes back in another order.
void Nemesis::swizzle() {
  std::vector<std::string> names;
  for (const auto& [name, vault] : world_.ground().vaults) names.push_back(name);
  for (const auto& [name, system] : world_.ground().systems) names.push_back(name);
  for (const auto& [name, application] : world_.ground().applications) names.push_back(name);
  const Duration last = draw_.between(minutes(1), minutes(40));
  for (const std::string& name : names) {
    if (draw_.one_in(2)) continue;
    const Duration down = draw_.between(Duration{0}, last / 2);
    world_.later(down, [this, name] {
      if (healed_) return;
      world_.note(name, "goes down");
      world_.stop_system(name);
    });
    world_.later(draw_.between(down + seconds(1), last), [this, name] {
      world_.note(name, "is back");
      world_.restore_system(name);
    });
  }
}

void Nemesis::jump_a_clock() {
  const auto names = world_.process_names();
  if (names.empty()) return;
  Process* process = world_.process(draw_.pick(names));
  if (!process) return;
  const Duration far = draw_.one_in(4) ? Duration(hours(24 * 3650)) : Duration(hours(1));
  const Duration offset = draw_.between(-far, far);
  world_.note(process->name(), "wall clock is off by " + format_duration(offset));
  process->clock().set_wall_offset(offset);
}

void Nemesis::flap(bool lie) {
  const std::string name = some_application();
  Application& application = world_.ground().applications.at(name);
  (lie ? application.lies : application.sick) = true;
  world_.note(name, lie ? "claims to be well, whatever is true" : "claims to be ill");
  world_.later(lie ? draw_.between(minutes(10), hours(3)) : draw_.between(seconds(1), minutes(10)), [this, name, lie] {
    Application& now = world_.ground().applications.at(name);
    (lie ? now.lies : now.sick) = false;
    world_.note(name, "tells the truth again");
  });
}

void Nemesis::read_only_vault() {
  std::vector<std::string> names;
  for (const auto& [name, vault] : world_.ground().vaults) names.push_back(name);
  const std::string name = draw_.pick(names);
  world_.ground().vaults.at(name).read_only = true;
  world_.note(name, "is read-only");
  world_.later(draw_.between(seconds(5), minutes(20)), [this, name] {
    world_.ground().vaults.at(name).read_only = false;
    world_.note(name, "can be written again");
  });
}

// A backup is taken, life goes on, everything ends, and the backup is what there is.
void Nemesis::remember_and_restore() {
  const Duration taken = draw_.between(Duration{0}, span_ / 2);
  world_.later(taken, [this, taken] {
    if (healed_) return;
    auto backup = std::make_shared<std::vector<StoredPtr>>(world_.journal());
    world_.note("nemesis", "a backup of the journal is taken");
    world_.later(draw_.between(minutes(1), span_ - taken), [this, backup] {
      if (healed_) return;
      world_.faults().count(FaultKind::RestoredBackup);
      world_.note("nemesis", "the journal is restored from the backup");
      for (const std::string& name : world_.process_names()) {
        if (Process* process = world_.process(name)) process->crash("for the restore");
      }
      world_.restore_journal(*backup);
    });
  });
}

void Nemesis::heal() {
  healed_ = true;
  world_.note("nemesis", "heals everything");
  world_.restore_all_systems();
  world_.delay_watches(Duration{0});
  for (auto& [name, vault] : world_.ground().vaults) vault.read_only = false;
  for (auto& [name, application] : world_.ground().applications) application.sick = application.lies = false;
  std::vector<std::string> names = world_.process_names();
  if (names.size() > 1) world_.stop_process(names.back());
  if (Process* process = world_.process(world_.process_names().front())) process->clock().set_wall_offset(Duration{0});
}

}  // namespace keyturn::simulation
