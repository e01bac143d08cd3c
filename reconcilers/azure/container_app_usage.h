// What a container app does with its secrets, and what a restart may cost it, as far as its definition tells (azure.md 2.2 and 9). Pure.
#pragma once

#include <boost/json/object.hpp>

#include <set>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "reconcilers/rotation/consumer_findings.h"

namespace keyturn {

// What the definition tells of an ASP.NET DataProtection key ring. Choices made in code cannot be seen.
enum class KeyRing : std::uint8_t {
  NothingSeen,
  DotNetSeen,        // settings of .NET, none of them about a ring
  NotSeenPersisted,  // DataProtection is configured, and no place outside of the container is
  Persisted,         // kept by the platform, on a mounted share, or at an address
};

// Names of secrets are those of `configuration.secrets`, in lower case.
struct AppUsage {
  std::set<std::string> variables;
  std::set<std::string> volumes;
  std::set<std::string> scale_rules;
  std::set<std::string> registries;
  bool mounts_all = false;  // a secret volume without a list holds every secret
  bool dapr = false;
  KeyRing key_ring = KeyRing::NothingSeen;
};

// Of `properties` of the resource, also of a job's. Tolerant: what is missing is not used.
AppUsage read_usage(const boost::json::object& properties);

// Of the secrets in `names`, which all refer to the one that is rotated. The key ring is judged only where nobody declared it.
std::vector<ConsumerFinding> findings_of(const AppUsage& usage, const std::vector<std::string>& names, api::DataProtection declared);

}  // namespace keyturn
