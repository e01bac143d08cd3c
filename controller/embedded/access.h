// Who asks, and what they may do: bearer tokens kept as hashes, client certificates, and four fixed roles. Used by the embedded API
// server and by the controller's own API.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/http_message.h"
#include "base/net/http_server.h"
#include "base/random.h"
#include "base/secret.h"

namespace keyturn::embedded {

// What a user may do.
enum class Role : std::uint8_t {
  None,        // anonymous: health and version only
  View,        // read everything
  Edit,        // and write SecretRotations
  Controller,  // write status, runs, events and finalizers, but no spec of what people want
  Admin,       // everything
};
std::string_view name_of(Role role) noexcept;
std::optional<Role> role_named(std::string_view name);

struct User {
  std::string name = "system:anonymous";
  std::vector<std::string> groups = {"system:unauthenticated"};
  Role role = Role::None;
  std::vector<std::string> namespaces;  // where the role holds; empty = everywhere

  bool anonymous() const noexcept { return role == Role::None; }
};

// The process itself, writing without HTTP.
User controller_user();

class Access {
 public:
  // Without a file: tokens live as long as the process.
  Access() = default;
  // Reads the tokens file, or makes an empty one with mode 0600. Denied: others can read it. Invalid: a line is malformed.
  static Result<Access> open(std::string path);

  // Makes a token for the user, keeps its SHA-256 (in the file, if there is one) and returns it: the only moment at which it exists.
  Result<Secret> issue(Random& random, User user);
  // Accepts a given token from now on, in memory only: for tests and for tokens that a configuration brings.
  void accept(const Secret& token, User user);
  bool knows(std::string_view name) const { return user_named(name).has_value(); }
  std::optional<User> user_named(std::string_view name) const;

  // The user of a request: by bearer token, else by client certificate (CN = name, O = "keyturn:ROLE"), else anonymous.
  // Nothing = credentials were sent and are wrong: 401.
  std::optional<User> authenticate(const net::HttpRequest& request, const net::Peer& peer) const;

  // `resource` is the plural, with "/status" for the subresource; `ns` empty = cluster scope.
  bool allowed(const User& user, std::string_view verb, std::string_view group, std::string_view resource, std::string_view ns,
               std::string_view name) const;
  // Paths that are no resources: health and version for all, discovery for users.
  bool allowed_path(const User& user, std::string_view path) const;

  // One rule of a role, as `auth can-i --list` shows it.
  struct Rule {
    std::vector<std::string> verbs, groups, resources;
  };
  std::vector<Rule> rules_of(const User& user, std::string_view ns) const;

 private:
  struct Token {
    std::string sha256_hex;
    User user;
  };
  Result<> append(const Token& token) const;

  std::string path_;
  std::vector<Token> tokens_;
};

}  // namespace keyturn::embedded
