// When nothing that was sent before can still land (protocol.md 6.4). Boot time, in memory: a new process is a new epoch and waits anew.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/time.h"

namespace keyturn {

class Quarantine {
 public:
  explicit Quarantine(BootInstant started) : started_(started) {}

  // Something of this identity may have been sent by somebody else up to now: ownership was taken over from another epoch.
  void taken_over(const std::string& identity, BootInstant now) { note(identity, now); }

  // One request under way. Unless it is told that a definite reply came, whatever ends it (a time-out, a cancellation, an exception)
  // leaves it able to land for a while yet. Definite replies move nothing: a healthy run waits nowhere.
  class Request {
   public:
    Request(Quarantine& quarantine, std::string identity, const Clock& clock)
        : quarantine_(quarantine), identity_(std::move(identity)), clock_(clock) {}
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() {
      if (!answered_) quarantine_.note(identity_, clock_.boot_now());
    }
    void answered() noexcept { answered_ = true; }

   private:
    Quarantine& quarantine_;
    std::string identity_;
    const Clock& clock_;
    bool answered_ = false;
  };

  // An identity never noted was not touched by this process, but a process before it may have been: its own start counts.
  BootInstant quiet_from(const std::string& identity, Duration term) const {
    const auto noted = last_.find(identity);
    return (noted == last_.end() ? started_ : noted->second) + term;
  }

 private:
  void note(const std::string& identity, BootInstant now) {
    BootInstant& last = last_[identity];
    last = std::max(last, now);
  }
  BootInstant started_;
  std::map<std::string, BootInstant> last_;
};

}  // namespace keyturn
