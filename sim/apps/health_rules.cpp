#include "sim/apps/health_rules.h"

#include <algorithm>

namespace keyturn::sim {

namespace {

bool applies(const HealthRule& rule, const Replica& replica) {
  switch (rule.kind) {
    case HealthRule::Kind::Always:
      return true;
    case HealthRule::Kind::AfterRestart:
      return replica.created > rule.since;
    case HealthRule::Kind::UnlessValue: {
      const auto loaded = replica.loaded.find(rule.secret);
      return loaded == replica.loaded.end() || loaded->second.fingerprint != rule.accepted;
    }
  }
  return true;
}

}  // namespace

bool HealthRules::broken(const Replica& replica, HealthRule::Affects what) const {
  return std::ranges::any_of(rules_, [&](const HealthRule& rule) {
    return (rule.affects == what || rule.affects == HealthRule::Affects::Both) && applies(rule, replica);
  });
}

}  // namespace keyturn::sim
