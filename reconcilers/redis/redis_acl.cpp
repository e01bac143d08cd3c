#include "reconcilers/redis/redis_acl.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "reconcilers/wire/principal_name.h"

namespace keyturn {
namespace {

using redis::Command;
using redis::Effect;
using redis::Reply;

// CLIENT LIST has some 300 bytes per connection; a node may well have ten thousand.
constexpr redis::ReplyLimits client_list_limits{.bytes_max = std::size_t{16} << 20};

// An error reply as one of our codes. The text of the reply is dropped: it may repeat what was sent.
Error refusal(const Reply& reply) {
  for (const std::string_view word : {"WRONGPASS", "NOAUTH", "NOPERM"})
    if (reply.is_error(word)) return {Errc::Denied, "the node refused the administrator or the command"};
  for (const std::string_view word : {"LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "OOM"})
    if (reply.is_error(word)) return {Errc::Unavailable, "the node is not ready"};
  return {Errc::Invalid, "the node does not accept the command"};
}

std::string hash_of(const Secret& password) {
  return password.expose([](std::string_view bytes) { return to_hex(sha256(bytes)); });
}

// The value of "key=" in one line of CLIENT LIST: words separated by blanks, no blanks inside.
std::optional<std::string_view> field_of(std::string_view line, std::string_view key) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=') return word.substr(key.size() + 1);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return std::nullopt;
}

// "10.0.0.7:51234" without the port, and the name that the client gave itself, if any.
std::string describe_client(std::string_view line) {
  const std::string_view address = field_of(line, "addr").value_or("");
  std::string text(address.substr(0, address.rfind(':')));
  const std::string_view name = field_of(line, "name").value_or("");
  if (!name.empty()) text.append(" ").append(name);
  return text;
}

// Ages are whole seconds cut off at both ends, so the connection may be up to a second older than it says.
bool may_be_older(std::string_view line, Duration than) {
  const std::string_view age = field_of(line, "age").value_or("");
  std::int64_t seconds = 0;
  const auto [end, ec] = std::from_chars(age.data(), age.data() + age.size(), seconds);
  if (ec != std::errc() || end != age.data() + age.size()) return true;  // cannot be told
  return std::chrono::seconds(seconds + 1) > than;
}

void count_clients(std::string_view list, const std::string& principal, std::optional<Duration> older_than, Sessions& out) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    const std::string_view line = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (field_of(line, "user") != principal) continue;
    if (older_than && !may_be_older(line, *older_than)) continue;
    ++out.count;
    if (out.clients.size() < RedisAcl::clients_named_max) out.clients.push_back(describe_client(line));
  }
}

// Of several failures the one that tells the caller most about the world: a maybe outweighs a certain no.
bool graver(const Error& a, const Error& b) { return a.code == Errc::OutcomeUnknown && b.code != Errc::OutcomeUnknown; }

}  // namespace

// A user as ACL GETUSER tells it.
struct RedisAcl::User {
  bool exists = false;
  bool on = false;
  bool nopass = false;
  std::vector<std::string> hashes;
  bool has(const std::string& hash) const { return std::find(hashes.begin(), hashes.end(), hash) != hashes.end(); }
};

struct RedisAcl::Node {
  std::unique_ptr<redis::RespClient> client;
};

struct RedisAcl::Edit {
  enum class Kind : std::uint8_t { Add, Remove };
  Kind kind = Kind::Add;
  std::string principal;
  std::string hash;
};

Result<std::shared_ptr<RedisAcl>> RedisAcl::make(api::RedisAclSystem settings, std::shared_ptr<boost::asio::ssl::context> trust,
                                                 std::shared_ptr<AdminCredential> admin) {
  if (settings.nodes.empty()) return Error{Errc::Invalid, "a Redis system has no nodes"};
  std::vector<wire::Peer> nodes;
  for (const std::string& text : settings.nodes) {
    auto peer = wire::parse_peer(text, settings.tls, trust);
    if (!peer) return peer.error();
    nodes.push_back(*std::move(peer));
  }
  return std::shared_ptr<RedisAcl>(new RedisAcl(std::move(settings), std::move(nodes), std::move(admin)));
}

DependentCapabilities RedisAcl::capabilities() const { return {.live_values_per_principal = 8, .tells_sessions = true}; }

Result<> RedisAcl::check_principal(const std::string& principal) const {
  if (!is_plain_principal(principal, principal_bytes_max))
    return Error{Errc::Invalid, "the principal's name has characters that are refused"};
  const auto& declared = settings_.principals;
  if (std::find(declared.begin(), declared.end(), principal) == declared.end())
    return Error{Errc::Denied, "the principal is not declared for this system"};
  return ok();
}

Task<RedisAcl::Node> RedisAcl::open_as_admin(Context context, wire::Peer peer, const Secret& password) {
  auto client = co_await redis::RespClient::open(context, std::move(peer));
  if (!client) co_return client.error();
  Command command{"AUTH", settings_.admin.user.empty() ? "default" : settings_.admin.user};
  command.add(password);
  const auto reply = co_await (*client)->call(context, std::move(command).encode(), Effect::None, {});
  if (!reply) co_return reply.error();
  if (!reply->is_ok()) co_return refusal(*reply);
  Node node{*std::move(client)};
  co_return std::move(node);
}

// All nodes or none: what follows needs every one of them.
Task<std::vector<RedisAcl::Node>> RedisAcl::open_all(Context context) {
  const auto password = co_await admin_->read(context);
  if (!password) co_return password.error();
  std::vector<Node> open;
  for (const wire::Peer& peer : nodes_) {
    auto node = co_await open_as_admin(context, peer, *password);
    if (!node) co_return node.error();
    open.push_back(*std::move(node));
  }
  co_return std::move(open);
}

Task<RedisAcl::User> RedisAcl::look_up(Context context, redis::RespClient& node, std::string principal) {
  Command command{"ACL", "GETUSER", principal};
  const auto reply = co_await node.call(context, std::move(command).encode(), Effect::None, {});
  if (!reply) co_return reply.error();
  User user;
  if (reply->type == Reply::Type::Null) co_return user;
  if (reply->type == Reply::Type::Error) co_return refusal(*reply);
  user.exists = true;
  for (std::size_t i = 0; i + 1 < reply->items.size(); i += 2) {
    for (const Reply& item : reply->items[i + 1].items) {
      if (reply->items[i].text == "passwords") user.hashes.push_back(item.text);
      if (reply->items[i].text == "flags") {
        user.on = user.on || item.text == "on";
        user.nopass = user.nopass || item.text == "nopass";
      }
    }
  }
  co_return user;
}

Task<> RedisAcl::install(Context context, std::string principal, const Secret& password) {
  if (password.empty()) co_return Error{Errc::Invalid, "an empty password is refused"};
  Edit edit{Edit::Kind::Add, std::move(principal), hash_of(password)};
  co_return co_await edit_everywhere(context.named("redis install"), std::move(edit));
}

Task<> RedisAcl::withdraw(Context context, std::string principal, const Secret& password) {
  Edit edit{Edit::Kind::Remove, std::move(principal), hash_of(password)};
  co_return co_await edit_everywhere(context.named("redis withdraw"), std::move(edit));
}

Task<> RedisAcl::edit_everywhere(Context context, Edit edit) {
  const auto allowed = check_principal(edit.principal);
  if (!allowed) co_return allowed.error();
  auto nodes = co_await open_all(context);
  if (!nodes) co_return nodes.error();
  for (Node& node : *nodes) {
    const auto user = co_await look_up(context, *node.client, edit.principal);
    if (!user) co_return user.error();
    if (user->nopass) co_return Error{Errc::Invalid, "the user accepts any password (nopass)"};
    if (edit.kind == Edit::Kind::Add && !user->exists) co_return Error{Errc::Invalid, "the user does not exist on every node"};
    if (edit.kind == Edit::Kind::Add && !user->on) co_return Error{Errc::Invalid, "the user is switched off"};
    // Saving what is there anyway shows whether the node can keep a change, before there is one to lose.
    const auto durable = co_await persist(context, *node.client);
    if (!durable)
      co_return durable.error().code == Errc::OutcomeUnknown ? Error{Errc::Unavailable, durable.error().message} : durable.error();
  }
  // From here on every node gets its turn: one that is stuck does not keep the others from what they need.
  std::optional<Error> worst;
  std::size_t done = 0;
  for (Node& node : *nodes) {
    const auto edited = co_await edit_node(context, node, edit);
    if (edited) {
      ++done;
    } else if (!worst || graver(edited.error(), *worst)) {
      worst = edited.error();
    }
  }
  if (!worst) co_return ok();
  const bool partly = done > 0 && worst->code == Errc::Unavailable;
  if (partly) co_return Error{Errc::OutcomeUnknown, "only some of the nodes were written"};
  co_return *worst;
}

// Also when the value is already as wanted the node is told to make it durable: an earlier attempt may have ended in between.
Task<> RedisAcl::edit_node(Context context, Node& node, Edit edit) {
  const auto before = co_await look_up(context, *node.client, edit.principal);
  if (!before) co_return before.error();
  const bool wanted = edit.kind == Edit::Kind::Add;
  if (!before->exists && !wanted) co_return ok();
  if (before->has(edit.hash) != wanted) {
    Command command{"ACL", "SETUSER", edit.principal, (wanted ? "#" : "!") + edit.hash};
    const auto reply = co_await node.client->call(context, std::move(command).encode(), Effect::Write, {});
    if (!reply) co_return reply.error();
    if (!reply->is_ok()) {
      // Removing what is not there is an error for Redis and done for us: somebody else may have been quicker.
      const auto after = co_await look_up(context, *node.client, edit.principal);
      if (!after || after->has(edit.hash) != wanted) co_return refusal(*reply);
    }
  }
  const auto durable = co_await persist(context, *node.client);
  // The value is in, but a restart of the node would lose it: neither done nor certainly not applied.
  if (!durable && durable.error().code == Errc::Unavailable) co_return Error{Errc::OutcomeUnknown, durable.error().message};
  co_return durable;
}

// A node keeps its users either in an ACL file or in its configuration file, and says no to the command of the other kind.
Task<> RedisAcl::persist(Context context, redis::RespClient& node) {
  if (!settings_.persist) co_return ok();
  Command save{"ACL", "SAVE"};
  const auto saved = co_await node.call(context, std::move(save).encode(), Effect::Write, {});
  if (!saved) co_return saved.error();
  if (saved->is_ok()) co_return ok();
  const Error no_save = refusal(*saved);
  if (no_save.code != Errc::Invalid) co_return no_save;
  Command rewrite{"CONFIG", "REWRITE"};
  const auto rewritten = co_await node.call(context, std::move(rewrite).encode(), Effect::Write, {});
  if (!rewritten) co_return rewritten.error();
  if (rewritten->is_ok()) co_return ok();
  const Error no_rewrite = refusal(*rewritten);
  if (no_rewrite.code != Errc::Invalid) co_return no_rewrite;
  co_return Error{Errc::Invalid, "the node cannot keep its users across a restart: it needs an ACL file or a configuration file"};
}

Task<ProbeResult> RedisAcl::probe(Context context, std::string principal, const Secret& password) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  std::optional<ProbeResult> all;
  for (const wire::Peer& peer : nodes_) {
    const auto one = co_await probe_node(context.named("redis probe"), peer, principal, password);
    const ProbeResult result = one ? *one : ProbeResult::Unknown;
    if (!all) all = result;
    // Nodes that differ, or cannot be asked, say nothing about the whole; no further login is spent on the rest.
    if (result == ProbeResult::Unknown || result != *all) co_return ProbeResult::Unknown;
  }
  co_return all.value_or(ProbeResult::Unknown);
}

Task<ProbeResult> RedisAcl::probe_node(Context context, wire::Peer peer, std::string principal, const Secret& password) {
  auto client = co_await redis::RespClient::open(context, std::move(peer));
  if (!client) co_return ProbeResult::Unknown;
  Command auth{"AUTH", principal};
  auth.add(password);
  const auto answer = co_await (*client)->call(context, std::move(auth).encode(), Effect::None, {});
  if (!answer) co_return ProbeResult::Unknown;
  if (answer->is_error("WRONGPASS")) co_return ProbeResult::Rejected;
  if (!answer->is_ok()) co_return ProbeResult::Unknown;
  Command ping{"PING"};
  const auto pong = co_await (*client)->call(context, std::move(ping).encode(), Effect::None, {});
  if (!pong) co_return ProbeResult::Unknown;
  // A user without the right to PING has logged in all the same.
  const bool served = (pong->type == Reply::Type::Simple && pong->text == "PONG") || pong->is_error("NOPERM");
  co_return served ? ProbeResult::Accepted : ProbeResult::Unknown;
}

Task<Sessions> RedisAcl::sessions(Context context, std::string principal, std::optional<Instant> since) {
  const auto allowed = check_principal(principal);
  if (!allowed) co_return allowed.error();
  const Context here = context.named("redis sessions");
  auto nodes = co_await open_all(here);
  if (!nodes) co_return nodes.error();
  Sessions found;
  for (Node& node : *nodes) {
    Command command{"CLIENT", "LIST"};
    const auto reply = co_await node.client->call(here, std::move(command).encode(), Effect::None, client_list_limits);
    if (!reply) co_return reply.error();
    if (reply->type != Reply::Type::Bulk) co_return refusal(*reply);
    std::optional<Duration> older_than;
    if (since) older_than = context.clock().now() - *since;
    count_clients(reply->text, principal, older_than, found);
  }
  co_return found;
}

}  // namespace keyturn
