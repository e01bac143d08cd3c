// What an adapter finds about the applications that use a secret, before anything is touched: plain facts, of which hazards are made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keyturn {

// Of one consumer and one secret. What none of these says was looked for and not found, unless one of the first two is there.
enum class ConsumerFinding : std::uint8_t {
  ReadDenied,           // it may not be looked at
  Unreachable,          // it could not be looked at just now
  WriteDenied,          // it may be looked at, but not written: the platform cannot be made to read the secret
  RestartDenied,        // it may not be restarted
  VolumeUser,           // the secret is mounted as a file
  ScaleRuleUser,        // a scale rule logs in with it
  RegistryUser,         // images are pulled with it
  DaprUser,             // it runs with Dapr, whose components hold secrets of their own
  NoUseSeen,            // it refers to the secret, and nothing in its template uses it
  KeyRingNotPersisted,  // it uses DataProtection, and a restart was not seen to keep the key ring
  KeyRingOfDotNet,      // it looks like .NET, and nothing tells of a key ring
  KeyRingNotSeen,       // nothing tells of a key ring
};

// An application or job that refers to a secret, declared or not.
struct SecretUser {
  enum class Kind : std::uint8_t { Application, Job };
  Kind kind = Kind::Application;
  std::string group;  // the resource group
  std::string name;
  bool pinned = false;  // to a version
  bool operator==(const SecretUser&) const = default;
};

// All that were found in one place, and what could not be looked at there: "container apps", "jobs".
struct SecretUsers {
  std::vector<SecretUser> users;
  std::vector<std::string> not_read;
};

}  // namespace keyturn
