// Who may do what in one place (a vault, the subscription), and from when.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"

namespace keyturn::sim {

using Actions = std::set<std::string, std::less<>>;

// Every action a vault knows: "get", "list", "set", "delete", "recover", "purge".
const Actions& vault_actions();
// Every action that ARM knows here: "read", "write", "restart", "listSecrets".
const Actions& arm_actions();
// What a principal may do there without a grant: everything but "listSecrets", which shows values.
const Actions& arm_default_actions();

class Access {
 public:
  explicit Access(Actions defaults) : defaults_(std::move(defaults)) {}

  // Replaces what the principal had. What is added becomes effective at `effective`; what is taken away is gone at once, even
  // for tokens that were issued before (measured at Azure: seconds, with an unexpired token).
  void grant(const std::string& principal, Actions actions, Instant now, Instant effective);

  // A principal that was never granted anything has the defaults.
  bool allows(std::string_view principal, std::string_view action, Instant now) const;

 private:
  struct Grant {
    Actions kept;  // had already, and still has before `effective`
    Actions actions;
    Instant effective{};
  };
  Actions defaults_;
  std::map<std::string, Grant, std::less<>> grants_;
};

}  // namespace keyturn::sim
