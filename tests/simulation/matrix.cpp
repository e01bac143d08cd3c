#include "tests/simulation/matrix.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <vector>

#include "api/codec.h"
#include "tests/simulation/settled.h"
#include "tests/simulation/workers.h"

namespace keyturn::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr api::Protocol protocols[] = {api::Protocol::Single, api::Protocol::Dual,  api::Protocol::Alternating,
                                       api::Protocol::Slots,  api::Protocol::Shift, api::Protocol::SharedKey};

// What a run is meant to do before something goes wrong.
enum class Course : std::uint8_t {
  Forward,    // to a new revision
  TakenBack,  // to a new revision, with which a consumer turns out ill
  Rollback,   // to an earlier revision
};
constexpr Course courses[] = {Course::Forward, Course::TakenBack, Course::Rollback};
std::string_view name_of(Course course) {
  switch (course) {
    case Course::Forward:
      return "forward";
    case Course::TakenBack:
      return "taken back";
    case Course::Rollback:
      return "rollback run";
  }
  return "";
}

constexpr FaultKind faults[] = {FaultKind::CrashBeforeSend, FaultKind::CrashAfterSend, FaultKind::CrashAfterEffect,
                                FaultKind::LostReply,       FaultKind::Late,           FaultKind::SuspendBeforeSend};

struct Class {
  api::Protocol protocol;
  Course course;
  FaultKind fault;
};

enum class End : std::uint8_t { Succeeded, RolledBack, Blocked, Violated };

struct Outcome {
  End end = End::Violated;
  std::uint64_t calls = 0;  // from the wish to the good end
  std::string message;
};

api::Timing timing() {
  api::Timing timing;
  timing.server_residual = seconds(20);
  timing.soak = minutes(1);
  timing.drift_interval = minutes(10);
  timing.poll = seconds(10);
  return timing;
}

Outcome violated(std::string message) { return {End::Violated, 0, std::move(message)}; }

// Lives until all is well; nothing = it is.
std::optional<std::string> settle(World& world, const People& people, Duration at_most) {
  const bool settled = world.run_until([&] { return what_is_missing(world, people).empty(); }, at_most, seconds(30));
  if (world.oracle().violation()) return world.oracle().violation()->invariant + ": " + world.oracle().violation()->message;
  if (!settled) return "never comes to a good end: " + what_is_missing(world, people);
  return {};
}

// Whoever loads the new value is ill, until the run has gone back: flaps exactly once.
void make_the_next_start_ill(World& world) {
  const std::string name = world.ground().subjects.front().consumers.back();
  world.ground().ill_with_the_next(name);
}

// Where there is no way back, people must decide about an illness.
bool rests_for_people(World& world, const People& people) {
  const Oracle::Run* run = world.oracle().unfinished(0);
  return run && !run->record.status.blocked.empty() && people.explains(0, run->record.status.blocked);
}

Outcome live(const Class& what, std::uint64_t n) {
  World world({.seed = 7, .subjects = {{.protocol = what.protocol, .consumers = 1}}, .timing = timing()});
  Draw draw(7, 1);
  People people(world, draw);
  world.start_process("leader-1");
  people.declare_all();
  if (auto missing = settle(world, people, minutes(30))) return violated(*missing);
  if (what.course == Course::Rollback) {
    people.want(0, "r1");
    if (auto missing = settle(world, people, hours(3))) return violated(*missing);
    // What an earlier process sent could still land: then nothing is quarantined for its sake.
    world.run_for(minutes(10));
  }
  const std::uint64_t before = world.faults().requests();
  if (n > 0) world.faults().script(what.fault, n);
  if (what.course == Course::TakenBack) make_the_next_start_ill(world);
  people.want(0, what.course == Course::Rollback ? "r0" : "r1");
  if (what.course == Course::TakenBack) {
    // Until the run is over: what comes after it, another attempt, is another story.
    const auto over = [&] {
      return world.oracle().rolled_back + world.oracle().succeeded + world.oracle().abandoned > 0 || rests_for_people(world, people);
    };
    const bool ended = world.run_until(over, hours(6), seconds(30));
    if (world.oracle().violation()) return violated(world.oracle().violation()->invariant + ": " + world.oracle().violation()->message);
    if (!ended) return violated("the run never ends");
  }
  if (auto missing = settle(world, people, hours(24))) return violated(*missing);
  const std::uint64_t calls = world.faults().requests() - before;
  // Nothing may land any more after that, and nothing may be wrong even then.
  if (!world.run_for(minutes(30))) return violated(world.oracle().violation()->invariant);
  if (auto missing = settle(world, people, hours(6))) return violated(*missing);
  const End end = world.oracle().unfinished(0) ? End::Blocked : world.oracle().rolled_back > 0 ? End::RolledBack : End::Succeeded;
  return {end, calls, {}};
}

struct Row {
  std::map<End, std::uint64_t> ends;
  std::string first_violation;

  std::uint64_t of(End end) const {
    const auto found = ends.find(end);
    return found == ends.end() ? 0 : found->second;
  }
  std::uint64_t tried() const {
    std::uint64_t all = 0;
    for (const auto& [end, count] : ends) all += count;
    return all;
  }
};

Row run_class(const Class& what, std::uint64_t first, std::uint64_t stride) {
  Row row;
  const Outcome undisturbed = live(what, 0);
  for (std::uint64_t n = first; n <= undisturbed.calls; n += stride) {
    const Outcome outcome = live(what, n);
    ++row.ends[outcome.end];
    if (outcome.end == End::Violated && row.first_violation.empty()) row.first_violation = fmt::format("n = {}: {}", n, outcome.message);
  }
  if (undisturbed.end != End::Violated) return row;
  ++row.ends[End::Violated];
  row.first_violation = "undisturbed: " + undisturbed.message;
  return row;
}

std::vector<Class> classes() {
  std::vector<Class> all;
  for (const api::Protocol protocol : protocols) {
    for (const Course course : courses) {
      for (const FaultKind fault : faults) all.push_back({protocol, course, fault});
    }
  }
  return all;
}

void print_row(const Class& what, const Row& row) {
  fmt::print("{:<12} {:<13} {:<18} {:>6} {:>10} {:>12} {:>8} {:>11}\n", api::name_of(what.protocol), name_of(what.course),
             name_of(what.fault), row.tried(), row.of(End::Succeeded), row.of(End::RolledBack), row.of(End::Blocked),
             row.of(End::Violated));
  if (!row.first_violation.empty()) fmt::print("    first: {}\n", row.first_violation);
  std::fflush(stdout);
}

}  // namespace

// Each class is printed as soon as it is done: the order of the lines depends on the workers, what they say does not.
bool run_matrix(int jobs, std::uint64_t stride) {
  const auto started = std::chrono::steady_clock::now();
  const std::vector<Class> all = classes();
  fmt::print("{:<12} {:<13} {:<18} {:>6} {:>10} {:>12} {:>8} {:>11}\n", "protocol", "course", "fault at n-th call", "tried", "Succeeded",
             "RolledBack", "Blocked", "violations");
  const auto sums = sum_over(all.size(), jobs, [&](std::uint64_t i) {
    const Row row = run_class(all[i], 1 + i % stride, stride);
    print_row(all[i], row);
    return Counts{row.tried(), row.of(End::Violated)};
  });
  if (!sums) {
    fmt::print("a worker DIED\n");
    return false;
  }
  const std::uint64_t violations = sums->back();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("matrix: {} classes, {} worlds, {} violations, {:.1f} s\n", all.size(), sums->front(), violations, took);
  return violations == 0;
}

}  // namespace keyturn::simulation
