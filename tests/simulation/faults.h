// What goes wrong in a world: which kinds of faults it knows, how often they strike, and what became of one request. All from the seed,
// or by a script that strikes exactly one request.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "tests/simulation/draw.h"

namespace keyturn::simulation {

enum class FaultKind : std::uint8_t {
  // of one request
  NotSent,    // refused at once: certainly not applied
  Throttled,  // refused by the server, with a time to come back
  LostReply,  // applied, and the caller never hears of it
  Reset,      // applied, and the connection breaks before the reply
  Dropped,    // never arrives; the caller waits in vain
  Late,       // arrives after the caller has given up, and before the quarantine ends
  Slow,       // takes most of the time that the caller has
  CrashBeforeSend,
  CrashAfterSend,  // the request travels on
  CrashAfterEffect,
  SuspendBeforeSend,  // between the decision and the first byte
  // of the world
  Crash,         // at any moment
  Suspend,       // of a whole process
  SecondLeader,  // both believe to lead
  Outage,        // of systems, stopped one by one and restored in another order
  ReadOnlyVault,
  StoreOutage,  // the API server cannot be reached
  StaleCache,   // the watch delivers late
  WatchClosed,
  ClockJump,    // of a wall clock
  ClockRate,    // of a boot clock, within the bound
  SelfRestart,  // of a consumer
  HealthFlap,
  HealthLie,
  Human,           // sets a system or a vault by hand
  RestoredBackup,  // the journal travels back in time
  // beyond what the protocol promises to survive without a repair
  PastQuarantine,     // arrives after the quarantine
  SuspendAfterCheck,  // between the last check and the first byte
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::SuspendAfterCheck) + 1;
std::string_view name_of(FaultKind kind) noexcept;
using FaultCounts = std::array<std::uint64_t, fault_kinds>;

enum class Crash : std::uint8_t { None, BeforeSend, AfterSend, AfterEffect };

// What becomes of one request.
struct Fate {
  Duration connect{};     // before the last check whether it may be sent
  Duration stall{};       // of the whole process, before the last check
  Duration late_stall{};  // the same after it
  bool refused = false;
  bool throttled = false;
  std::optional<Duration> request;  // until it arrives; nothing = never
  std::optional<Duration> reply;    // from there until the caller hears; nothing = never
  bool reset = false;
  Crash crash = Crash::None;
};

// How long the parties of one world wait, as far as faults must know.
struct Patience {
  Duration request{};     // T_req: then the caller gives up
  Duration latest{};      // the latest arrival that the quarantine covers, counted from the first byte
  Duration quarantine{};  // T_q
};

class Faults {
 public:
  Faults(std::uint64_t seed, Patience patience) : draw_(seed, 2), patience_(patience) {}

  enum class Among : std::uint8_t { AllRequests, Effects };
  // Which kinds may strike, a bit each, and one request in how many is struck; 0 = none.
  void allow(std::uint64_t kinds, std::uint64_t odds, Among among = Among::AllRequests);
  bool allowed(FaultKind kind) const { return (kinds_ >> static_cast<unsigned>(kind) & 1U) != 0; }
  void stop() { odds_ = 0; }

  // Strikes the `nth` request from now, counted from 1, and no other.
  void script(FaultKind kind, std::uint64_t nth);
  bool scripted_has_struck() const { return script_ && struck_; }
  std::uint64_t requests() const { return requests_; }

  // `effect`: it changes a vault, a system or a consumer.
  Fate fate_of_request(bool effect);
  void count(FaultKind kind) { ++counts_[static_cast<std::size_t>(kind)]; }
  const FaultCounts& counts() const { return counts_; }
  const Patience& patience() const { return patience_; }

 private:
  void strike(Fate& fate, FaultKind kind);
  Duration late();

  Draw draw_;
  Patience patience_;
  std::uint64_t kinds_ = 0;
  std::uint64_t odds_ = 0;
  Among among_ = Among::AllRequests;
  std::uint64_t requests_ = 0;
  std::optional<FaultKind> script_;
  std::uint64_t script_at_ = 0;
  bool struck_ = false;
  FaultCounts counts_{};
};

}  // namespace keyturn::simulation
