// Judges a world by the ground truth alone, after every change of it: the invariants of protocol.md 3. It never asks a controller. It
// reads the journal as the store has it, which is a ground truth of its own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "controller/runtime/store.h"
#include "tests/simulation/ground.h"
#include "tests/simulation/trace.h"

namespace keyturn::simulation {

struct Violation {
  std::string invariant;  // "I3"
  std::string message;
};

class Oracle final : public GroundWatcher {
 public:
  // All outlive it.
  Oracle(Ground& ground, Clock& clock, std::string owner) : ground_(ground), clock_(clock), owner_(std::move(owner)) {
    ground_.watcher = this;
  }

  // The journal moved: `object` is a RotationRun as it is stored now.
  void journalled(const boost::json::object& object);
  // Told of every new phase of a run, before anything else happens.
  void when_a_phase_begins(std::function<void(std::size_t, const api::RotationRun&)> told) { phase_begins_ = std::move(told); }
  // The journal was set back by hand: what was known of it is forgotten, and `kept` is what there is now.
  void restored(const std::vector<boost::json::object>& kept);
  // Somebody else wrote to the subject's systems or vaults: from here on only I1 and I2 are held against the controller.
  void touched_by_hand(std::size_t subject, bool system) {
    by_hand_[subject] = clock_.boot_now();
    if (system) system_by_hand_.insert(subject);
  }
  // A process stands still for `span`: what it saw before, it may act on only then.
  void standing_still(Duration span) { resumed_ = std::max(resumed_, clock_.boot_now() + span); }
  void never_rests() { fail("L1", 0, "too many events: something goes round in circles"); }
  // What happens is beyond what the protocol promises to survive without a repair: violations are counted, and forgiven.
  void demand_repair_only() { repair_only_ = true; }
  // The binding was taken away, or given again.
  void authority(bool given);
  void leaving(const std::string& what);

  void changed(std::size_t subject, const std::string& what) override;
  void published(std::size_t subject, const StoredVersion& now, const StoredVersion* before) override;
  void withdrawing(std::size_t subject, const Login& login) override;
  void restarting(std::size_t subject, const std::string& value) override;
  void logged_in(const std::string& system, const Login& login) override { verified_.emplace(system, login); }

  const std::optional<Violation>& violation() const { return violation_; }
  std::uint64_t forgiven() const { return forgiven_; }

  // ---- the journal, for those who judge the end
  struct Run {
    std::size_t subject = 0;
    api::RotationRun record;
  };
  const std::map<std::string, Run>& runs() const { return runs_; }
  const Run* unfinished(std::size_t subject) const;
  bool by_hand(std::size_t subject) const { return by_hand_.contains(subject); }
  // Nobody waits for who is not named where the old credential is compromised.
  bool counts(std::size_t subject, const Application& application) const;
  // Every running consumer is accepted by all systems, or by all other services that share its key.
  bool all_logged_in(std::size_t subject) const;
  // When anything outside of a controller's memory last changed.
  BootInstant last_change() const { return last_change_; }
  std::uint64_t succeeded = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t abandoned = 0;

 private:
  void fail(const std::string& invariant, std::size_t subject, const std::string& message);
  void check_overwritten(std::size_t subject, const api::RotationRun& run, const StoredVersion& before);
  bool lenient(std::size_t subject) const { return by_hand_.contains(subject); }
  void check_readable(std::size_t subject);
  void check_recoverable(std::size_t subject);
  void check_published_accepted(std::size_t subject);
  void check_nobody_locked_out(std::size_t subject);
  void check_one_left(std::size_t subject);
  // P2: a run begins from a sound state. P3: what lives beside the new credential is not forgotten when that one is published.
  void check_old_accepted(const Run& run, const std::string& property);
  void check_step(const Run& run, api::Phase before);
  std::string value_of(const VersionId& version) const;
  void note_refusals(std::size_t subject);
  // So long ago that whoever acts now has seen it, or has seen nothing.
  bool long_ago(BootInstant then) const;
  // True when some system has refused the login for long.
  bool refused_for_long(std::size_t subject, const Login& login) const;
  void check_one_run_per_identity(const Run& run);
  void check_success(const Run& run);
  // A run was in its window when its journal was set back: the harm of the window lasts, and what the journal says no longer explains it.
  bool still_cut_off(std::size_t subject);
  bool in_switch_window(std::size_t subject) const;
  bool in_reload_window(std::size_t subject) const;
  bool durable(std::size_t subject, const Login& login) const;

  Ground& ground_;
  Clock& clock_;
  std::string owner_;
  std::function<void(std::size_t, const api::RotationRun&)> phase_begins_;
  std::map<std::string, Run> runs_;
  std::set<std::pair<std::string, Login>> verified_;
  std::map<std::size_t, BootInstant> by_hand_;  // when last
  std::map<std::string, std::set<Login>> accepted_before_;
  std::map<std::pair<std::string, Login>, BootInstant> refused_since_;
  BootInstant resumed_{};
  std::set<std::size_t> system_by_hand_;
  std::set<std::size_t> cut_off_;
  std::set<std::size_t> compromised_;  // ever, whatever the journal still knows of it
  std::optional<BootInstant> unbound_since_;
  BootInstant last_change_{};
  bool repair_only_ = false;
  bool restored_ = false;  // what a run that the journal has lost left behind, nobody knows of
  std::uint64_t forgiven_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace keyturn::simulation
