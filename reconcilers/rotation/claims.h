// Which runs this process was driving. Where two controllers both believe to lead, each would take a run from the other at every look,
// and the quarantine that a take-over begins would never end: whoever has lost a run lets the other drive on, until that one is silent.
#pragma once

#include <map>
#include <string>

#include "base/id.h"
#include "base/time.h"

namespace keyturn {

class Claims {
 public:
  // True when the run of `rotation`, which another epoch drives, may be taken over. `version` changes with every write of the run.
  // After `silence` without one, whoever took it from here is taken for gone.
  bool may_take(const ObjectKey& rotation, const std::string& run, const std::string& version, BootInstant now, Duration silence) {
    const auto found = claims_.find(rotation);
    if (found == claims_.end() || found->second.run != run) return true;
    Claim& claim = found->second;
    if (claim.seen != version) {
      claim.seen = version;
      claim.since = now;
    }
    return now - claim.since >= silence;
  }
  // It is driven here now.
  void took(const ObjectKey& rotation, const std::string& run) { claims_[rotation] = {.run = run, .seen = {}, .since = {}}; }
  void forget(const ObjectKey& rotation) { claims_.erase(rotation); }

 private:
  struct Claim {
    std::string run;
    std::string seen;  // the version that the other one wrote last
    BootInstant since{};
  };
  std::map<ObjectKey, Claim> claims_;
};

}  // namespace keyturn
