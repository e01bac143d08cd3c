#include "controller/embedded/access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include "base/hash.h"

namespace keyturn::embedded {
namespace {

constexpr std::size_t token_bytes = 32;

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array<RoleName, 5> role_names{
    {{Role::None, "none"}, {Role::View, "view"}, {Role::Edit, "edit"}, {Role::Controller, "controller"}, {Role::Admin, "admin"}}};

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

User user_of(std::string name, Role role) {
  User user;
  user.name = std::move(name);
  user.role = role;
  user.groups = {fmt::format("keyturn:{}", name_of(role)), "system:authenticated"};
  return user;
}

// "HASH NAME ROLE NAMESPACES", the last one "*" or names with commas.
std::optional<User> read_user(std::istringstream& line) {
  std::string name, role_text, namespaces;
  line >> name >> role_text >> namespaces;
  const std::optional<Role> role = role_named(role_text);
  if (!line || !role || *role == Role::None || name.empty()) return std::nullopt;
  User user = user_of(name, *role);
  if (namespaces == "*") return user;
  std::istringstream list(namespaces);
  for (std::string ns; std::getline(list, ns, ',');) user.namespaces.push_back(ns);
  return user;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text.empty() ? "*" : text;
}

// Only the owner may read the file: it is what stands between a reader and everybody's token hashes.
Result<> check_private(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Error{Errc::Denied, "the tokens file cannot be read"};
  if ((status.st_mode & 077) != 0) return Error{Errc::Denied, "the tokens file is readable by others: chmod 600"};
  return ok();
}

Result<> make_empty(const std::string& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return Error{Errc::Denied, "the tokens file cannot be created"};
  ::close(file);
  return ok();
}

bool is_review(std::string_view group) { return group == "authorization.k8s.io" || group == "authentication.k8s.io"; }

bool may_read(const User& user, std::string_view resource, std::string_view ns) {
  if (user.namespaces.empty()) return true;
  const bool cluster_kind = one_of(resource, {"namespaces", "rotationenvironments", "customresourcedefinitions"});
  return cluster_kind || std::find(user.namespaces.begin(), user.namespaces.end(), ns) != user.namespaces.end();
}

bool controller_may_write(std::string_view verb, std::string_view group, std::string_view resource) {
  if (resource == "events") return one_of(verb, {"create", "patch", "update"});
  if (group != "keyturn.dev") return false;
  if (resource == "rotationruns" || resource == "rotationruns/status") return true;
  // Finalizers live in the main resource; that the spec stays as it is, is checked where the change is known.
  return one_of(verb, {"update", "patch"}) &&
         one_of(resource, {"secretrotations", "secretrotations/status", "rotationenvironments", "rotationenvironments/status"});
}

}  // namespace

std::string_view name_of(Role role) noexcept {
  for (const RoleName& known : role_names)
    if (known.role == role) return known.name;
  return "none";
}

std::optional<Role> role_named(std::string_view name) {
  for (const RoleName& known : role_names)
    if (known.name == name) return known.role;
  return std::nullopt;
}

User controller_user() { return user_of("keyturn-controller", Role::Controller); }

Result<Access> Access::open(std::string path) {
  Access access;
  access.path_ = std::move(path);
  if (::access(access.path_.c_str(), F_OK) != 0) {
    if (const Result<> made = make_empty(access.path_); !made) return made.error();
  }
  if (const Result<> safe = check_private(access.path_); !safe) return safe.error();
  std::ifstream file(access.path_);
  for (std::string text; std::getline(file, text);) {
    if (text.empty() || text.starts_with('#')) continue;
    std::istringstream line(text);
    std::string hash;
    line >> hash;
    const std::optional<User> user = read_user(line);
    if (hash.size() != 64 || !from_hex(hash) || !user) return Error{Errc::Invalid, "the tokens file has a malformed line"};
    access.tokens_.push_back({hash, *user});
  }
  return access;
}

Result<Secret> Access::issue(Random& random, User user) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, token_bytes> bytes{};
  random.fill(bytes);
  SecretBuffer text(token_bytes * 2);
  for (const unsigned char byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  Secret token = std::move(text).finish();
  accept(token, std::move(user));
  if (const Result<> kept = append(tokens_.back()); !kept) {
    tokens_.pop_back();
    return kept.error();
  }
  return token;
}

void Access::accept(const Secret& token, User user) {
  user.groups = user_of(user.name, user.role).groups;
  tokens_.push_back({token.expose([](std::string_view text) { return to_hex(sha256(text)); }), std::move(user)});
}

std::optional<User> Access::user_named(std::string_view name) const {
  for (const Token& token : tokens_)
    if (token.user.name == name) return token.user;
  return std::nullopt;
}

Result<> Access::append(const Token& token) const {
  if (path_.empty()) return ok();
  const std::string line =
      fmt::format("{} {} {} {}\n", token.sha256_hex, token.user.name, name_of(token.user.role), joined(token.user.namespaces));
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return Error{Errc::Denied, "the tokens file cannot be written"};
  const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written) return Error{Errc::Unavailable, "the tokens file cannot be written"};
  return ok();
}

std::optional<User> Access::authenticate(const net::HttpRequest& request, const net::Peer& peer) const {
  std::string hash;
  if (request.bearer) hash = request.bearer->expose([](std::string_view text) { return to_hex(sha256(text)); });
  const std::optional<std::string_view> header = request.headers.find("Authorization");
  if (hash.empty() && header) {
    if (!header->starts_with("Bearer ")) return std::nullopt;
    hash = to_hex(sha256(header->substr(7)));
  }
  if (!hash.empty()) {
    // Hashes are compared, so that the time this takes says nothing about a token.
    for (const Token& token : tokens_)
      if (CRYPTO_memcmp(token.sha256_hex.data(), hash.data(), hash.size()) == 0) return token.user;
    return std::nullopt;
  }
  if (peer.certificate_common_name.empty()) return User{};
  for (const std::string& organization : peer.certificate_organizations) {
    const std::optional<Role> role =
        organization.starts_with("keyturn:") ? role_named(std::string_view(organization).substr(8)) : std::nullopt;
    if (role && *role != Role::None) return user_of(peer.certificate_common_name, *role);
  }
  return User{};
}

bool Access::allowed(const User& user, std::string_view verb, std::string_view group, std::string_view resource, std::string_view ns,
                     std::string_view name) const {
  if (user.anonymous()) return false;
  if (is_review(group)) {
    const bool about_self = resource.starts_with("selfsubject");
    return verb == "create" && (about_self || user.role == Role::Admin);
  }
  if (user.role == Role::Admin && user.namespaces.empty()) return true;
  // The namespace object itself is addressed by its name.
  const std::string_view where = resource == "namespaces" && ns.empty() ? name : ns;
  if (one_of(verb, {"get", "list", "watch"})) return may_read(user, resource, where);
  if (!user.namespaces.empty() && std::find(user.namespaces.begin(), user.namespaces.end(), ns) == user.namespaces.end()) return false;
  if (user.role == Role::Admin) return true;
  if (user.role == Role::Controller) return controller_may_write(verb, group, resource);
  return user.role == Role::Edit && group == "keyturn.dev" && resource == "secretrotations";
}

bool Access::allowed_path(const User& user, std::string_view path) const {
  for (const std::string_view open : {"/healthz", "/livez", "/readyz"})
    if (path == open || (path.starts_with(open) && path.substr(open.size()).starts_with('/'))) return true;
  return path == "/version" || !user.anonymous();
}

std::vector<Access::Rule> Access::rules_of(const User& user, std::string_view ns) const {
  std::vector<Rule> rules;
  if (user.anonymous()) return rules;
  rules.push_back({{"create"}, {"authorization.k8s.io"}, {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}});
  rules.push_back({{"create"}, {"authentication.k8s.io"}, {"selfsubjectreviews"}});
  const bool here = may_read(user, "", ns);
  if (user.role == Role::Admin && here) {
    rules.push_back({{"*"}, {"*"}, {"*"}});
    return rules;
  }
  if (here) rules.push_back({{"get", "list", "watch"}, {"*"}, {"*"}});
  if (here && user.role == Role::Edit)
    rules.push_back({{"create", "delete", "deletecollection", "patch", "update"}, {"keyturn.dev"}, {"secretrotations"}});
  if (user.role == Role::Controller) {
    rules.push_back(
        {{"create", "delete", "deletecollection", "patch", "update"}, {"keyturn.dev"}, {"rotationruns", "rotationruns/status"}});
    rules.push_back({{"patch", "update"},
                     {"keyturn.dev"},
                     {"secretrotations", "secretrotations/status", "rotationenvironments", "rotationenvironments/status"}});
    rules.push_back({{"create", "patch", "update"}, {"", "events.k8s.io"}, {"events"}});
  }
  return rules;
}

}  // namespace keyturn::embedded
