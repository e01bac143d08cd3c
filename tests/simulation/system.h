// What a system that checks logins accepts, and how requests change that: by the value, or as a provider that makes the values itself.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/rotation_run.h"
#include "tests/simulation/credentials.h"

namespace keyturn::simulation {

constexpr bool two_live(api::Protocol protocol) { return protocol != api::Protocol::Single; }
// The provider makes the values, and keeps accepting an earlier one until it needs its place.
constexpr bool is_minted(api::Protocol protocol) { return protocol == api::Protocol::Slots || protocol == api::Protocol::Shift; }

class System {
 public:
  System() = default;
  // Accepts `login`; of two slots, the other one holds `other`.
  System(api::Protocol protocol, const Login& login, const std::string& other);

  api::Protocol protocol() const { return protocol_; }
  bool accepts(const Login& login) const;
  std::vector<Login> accepted() const;
  // Slots: both, in order. Shift: the current value, then the previous one, if there is one.
  const std::vector<std::string>& held() const { return held_; }

  void install(const Login& login);
  // The same, and nothing else of the principal is accepted any more, also where two values could live.
  void set_alone(const Login& login);
  // Where one value lives it is scrambled, whatever it was; a slot gets `fresh`. Returns what was accepted and is not any more.
  std::vector<Login> withdraw(const Login& login, const std::string& fresh);
  // Returns what the provider dropped for it.
  std::vector<Login> mint(std::size_t slot, const std::string& fresh);

 private:
  void hold(std::vector<std::string> values);

  api::Protocol protocol_ = api::Protocol::Single;
  std::map<std::string, std::set<std::string>> accepted_;  // passwords by principal
  std::string principal_;                                  // of what is held
  std::vector<std::string> held_;
};

}  // namespace keyturn::simulation
