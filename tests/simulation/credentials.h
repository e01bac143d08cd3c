// How the values of a world look when they are published: a login as a document, and the keys that services share.
#pragma once

#include <compare>
#include <string>
#include <vector>

namespace keyturn::simulation {

struct Login {
  std::string principal;
  std::string password;
  auto operator<=>(const Login&) const = default;
};
std::string render(const Login& login);
// Both empty when `rendered` is no login.
Login login_of(const std::string& rendered);

struct Keys {
  std::string send;
  std::vector<std::string> accept;
  bool accepts(const std::string& key) const;
};
std::string render(const Keys& keys);
// Nothing to send and nothing accepted when `rendered` are no keys.
Keys keys_of(const std::string& rendered);

// Every secret word of a published value, of whichever kind it is.
std::vector<std::string> words_of(const std::string& rendered);

}  // namespace keyturn::simulation
