// Key Vault's REST surface over the vaults: routes, challenge, permissions, budgets, shapes.
#pragma once

#include <string>

#include "base/net/http_message.h"
#include "sim/entra/tokens.h"
#include "sim/request.h"
#include "sim/route.h"
#include "sim/vault/vaults.h"

namespace keyturn::sim {

inline constexpr std::string_view vault_audience = "https://vault.azure.net";

class VaultService {
 public:
  VaultService(Vaults& vaults, Tokens& tokens, const std::string& tenant) : vaults_(vaults), tokens_(tokens), tenant_(tenant) {}

  static Route route(const Request& request, std::string vault);

  // `authority` is what the 401 challenge names. Sets `principal` when the token is known.
  net::HttpReply handle(const Request& request, const Route& route, const std::string& authority, Instant now, std::string& principal);

 private:
  struct Call;
  net::HttpReply challenge(Tokens::Verdict verdict, const std::string& authority) const;
  Answer<net::HttpReply> perform(const Call& call);
  Answer<net::HttpReply> set(const Call& call);
  Answer<net::HttpReply> get(const Call& call);
  Answer<net::HttpReply> patch(const Call& call);
  Answer<net::HttpReply> list(const Call& call);
  Answer<net::HttpReply> versions(const Call& call);
  Answer<net::HttpReply> remove(const Call& call);
  Answer<net::HttpReply> list_deleted(const Call& call);
  Answer<net::HttpReply> get_deleted(const Call& call);
  Answer<net::HttpReply> recover(const Call& call);
  Answer<net::HttpReply> purge(const Call& call);

  Vaults& vaults_;
  Tokens& tokens_;
  const std::string& tenant_;
};

}  // namespace keyturn::sim
