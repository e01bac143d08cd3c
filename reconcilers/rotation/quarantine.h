// When nothing that was sent before can still land (protocol.md 6.4). Boot time, in memory: a new process is a new epoch and waits anew.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "base/time.h"

namespace keyturn {

class Quarantine {
 public:
  explicit Quarantine(BootInstant started) : started_(started) {}

  // Something of this identity may have been sent by somebody else up to now: ownership was taken over from another epoch.
  void taken_over(const std::string& identity, BootInstant now) { note(identity, now); }
  // A request got no definite reply: it may land for a while yet. Definite replies move nothing: a healthy run waits nowhere.
  void unanswered(const std::string& identity, BootInstant now) { note(identity, now); }

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
