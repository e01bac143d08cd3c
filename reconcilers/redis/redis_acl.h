// Redis users on self-managed nodes: a user holds any number of passwords, each added and removed by its hash.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "reconcilers/redis/resp_client.h"
#include "reconcilers/rotation/systems.h"
#include "reconcilers/wire/admin_credential.h"

namespace keyturn {

// Users are not replicated between nodes, so every node is written, made durable and verified by itself. A plaintext password leaves
// this process only in AUTH. Source: redis.io/docs/management/security/acl.
class RedisAcl final : public Dependent {
 public:
  // A user's name in the redis.conf and ACL file formats is one word; the limit is ours.
  static constexpr std::size_t principal_bytes_max = 128;
  static constexpr std::size_t clients_named_max = 50;  // in Sessions::clients; the count is exact

  // `trust` may be null only with TlsMode::LoopbackPlain. Errors: Invalid (no node, a node that is not host:port).
  static Result<std::shared_ptr<RedisAcl>> make(api::RedisAclSystem settings, std::shared_ptr<boost::asio::ssl::context> trust,
                                                std::shared_ptr<AdminCredential> admin);

  DependentCapabilities capabilities() const override;
  Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) override;

  // Looks at the user on all nodes before it writes to any. Errors besides the port's: Invalid when the user is missing, switched off,
  // or accepts any password (nopass): all three are a human's decision, and SETUSER would silently undo the first two. Invalid also
  // when a node has neither an ACL file nor a configuration file to keep its users in, found out before anything is written.
  // OutcomeUnknown also when some nodes were written and some not.
  Task<> install(Context context, std::string principal, const Secret& password) override;
  Task<> withdraw(Context context, std::string principal, const Secret& password) override;
  Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant> since) override;

 private:
  struct User;
  struct Node;
  struct Edit;
  RedisAcl(api::RedisAclSystem settings, std::vector<wire::Peer> nodes, std::shared_ptr<AdminCredential> admin)
      : settings_(std::move(settings)), nodes_(std::move(nodes)), admin_(std::move(admin)) {}

  Result<> check_principal(const std::string& principal) const;
  Task<std::vector<Node>> open_all(Context context);
  Task<Node> open_as_admin(Context context, wire::Peer peer, const Secret& password);
  Task<User> look_up(Context context, redis::RespClient& node, std::string principal);
  Task<> edit_everywhere(Context context, Edit edit);
  Task<> edit_node(Context context, Node& node, Edit edit);
  Task<> persist(Context context, redis::RespClient& node);
  Task<ProbeResult> probe_node(Context context, wire::Peer peer, std::string principal, const Secret& password);

  const api::RedisAclSystem settings_;
  const std::vector<wire::Peer> nodes_;
  const std::shared_ptr<AdminCredential> admin_;
};

}  // namespace keyturn
