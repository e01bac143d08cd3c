// Why a replica of a simulated application is unhealthy.
#pragma once

#include <string>
#include <vector>

#include "sim/apps/revision.h"

namespace keyturn::sim {

struct HealthRule {
  enum class Kind {
    Always,
    UnlessValue,   // unhealthy unless the value of `secret` is the one that was synchronised when the rule was made
    AfterRestart,  // unhealthy when created after the rule was made
  };
  enum class Affects { Endpoint, Readiness, Both };

  Kind kind = Kind::Always;
  Affects affects = Affects::Both;
  std::string secret;
  Sha256 accepted{};
  Instant since{};
};

class HealthRules {
 public:
  void add(HealthRule rule) { rules_.push_back(std::move(rule)); }
  void clear() { rules_.clear(); }
  std::size_t size() const noexcept { return rules_.size(); }

  bool healthy(const Replica& replica) const { return !broken(replica, HealthRule::Affects::Endpoint); }
  bool may_be_ready(const Replica& replica) const { return !broken(replica, HealthRule::Affects::Readiness); }

 private:
  bool broken(const Replica& replica, HealthRule::Affects what) const;

  std::vector<HealthRule> rules_;
};

}  // namespace keyturn::sim
