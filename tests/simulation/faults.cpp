#include "tests/simulation/faults.h"

#include <vector>

namespace keyturn::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr FaultKind of_requests[] = {FaultKind::NotSent,
                                     FaultKind::Throttled,
                                     FaultKind::LostReply,
                                     FaultKind::Reset,
                                     FaultKind::Dropped,
                                     FaultKind::Late,
                                     FaultKind::Slow,
                                     FaultKind::CrashBeforeSend,
                                     FaultKind::CrashAfterSend,
                                     FaultKind::CrashAfterEffect,
                                     FaultKind::SuspendBeforeSend,
                                     FaultKind::PastQuarantine,
                                     FaultKind::SuspendAfterCheck};

}  // namespace

std::string_view name_of(FaultKind kind) noexcept {
  constexpr std::array<std::string_view, fault_kinds> names{"NotSent",
                                                            "Throttled",
                                                            "LostReply",
                                                            "Reset",
                                                            "Dropped",
                                                            "Late",
                                                            "Slow",
                                                            "CrashBeforeSend",
                                                            "CrashAfterSend",
                                                            "CrashAfterEffect",
                                                            "SuspendBeforeSend",
                                                            "Crash",
                                                            "Suspend",
                                                            "SecondLeader",
                                                            "Outage",
                                                            "ReadOnlyVault",
                                                            "StoreOutage",
                                                            "StaleCache",
                                                            "WatchClosed",
                                                            "ClockJump",
                                                            "ClockRate",
                                                            "SelfRestart",
                                                            "HealthFlap",
                                                            "HealthLie",
                                                            "Human",
                                                            "RestoredBackup",
                                                            "PastQuarantine",
                                                            "SuspendAfterCheck"};
  return names[static_cast<std::size_t>(kind)];
}

void Faults::allow(std::uint64_t kinds, std::uint64_t odds, Among among) {
  among_ = among;
  kinds_ = kinds;
  odds_ = odds;
}

void Faults::script(FaultKind kind, std::uint64_t nth) {
  script_ = kind;
  script_at_ = requests_ + nth;
  struck_ = false;
}

Duration Faults::late() {
  const Duration first = patience_.request + seconds(1);
  switch (draw_.below(4)) {
    case 0:
      return first;
    case 1:
      return std::min(2 * patience_.request, patience_.latest);
    case 2:
      return patience_.latest;
    default:
      return draw_.between(first, patience_.latest);
  }
}

Fate Faults::fate_of_request(bool effect) {
  ++requests_;
  Fate fate;
  fate.connect = milliseconds(draw_.below(3));
  fate.request = milliseconds(1 + draw_.below(20));
  fate.reply = milliseconds(1 + draw_.below(20));
  if (script_ && requests_ == script_at_) {
    struck_ = true;
    strike(fate, *script_);
  } else if ((effect || among_ == Among::AllRequests) && draw_.one_in(odds_)) {
    std::vector<FaultKind> possible;
    for (const FaultKind kind : of_requests) {
      if (allowed(kind)) possible.push_back(kind);
    }
    if (!possible.empty()) strike(fate, draw_.pick(possible));
  }
  return fate;
}

void Faults::strike(Fate& fate, FaultKind kind) {
  count(kind);
  switch (kind) {
    case FaultKind::NotSent:
      fate.refused = true;
      return;
    case FaultKind::Throttled:
      fate.refused = fate.throttled = true;
      return;
    case FaultKind::LostReply:
      fate.reply.reset();
      return;
    case FaultKind::Reset:
      fate.reset = true;
      return;
    case FaultKind::Dropped:
      fate.request.reset();
      return;
    case FaultKind::Late:
      fate.request = late();
      return;
    case FaultKind::PastQuarantine:
      fate.request = patience_.quarantine + draw_.between(seconds(1), minutes(20));
      return;
    case FaultKind::Slow:
      fate.request = draw_.between(seconds(1), patience_.request / 2 - seconds(1));
      fate.reply = draw_.between(seconds(1), patience_.request / 2 - seconds(1));
      return;
    case FaultKind::CrashBeforeSend:
      fate.crash = Crash::BeforeSend;
      return;
    case FaultKind::CrashAfterSend:
      fate.crash = Crash::AfterSend;
      if (allowed(FaultKind::Late) && draw_.one_in(2)) fate.request = late();
      return;
    case FaultKind::CrashAfterEffect:
      fate.crash = Crash::AfterEffect;
      return;
    case FaultKind::SuspendBeforeSend:
      fate.stall = draw_.one_in(2) ? draw_.between(milliseconds(500), seconds(3)) : draw_.between(seconds(3), minutes(15));
      return;
    case FaultKind::SuspendAfterCheck:
      fate.late_stall = draw_.between(minutes(1), minutes(20));
      return;
    default:
      return;
  }
}

}  // namespace keyturn::simulation
