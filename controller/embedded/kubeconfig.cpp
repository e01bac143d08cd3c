#include "controller/embedded/kubeconfig.h"

#include "base/hash.h"
#include "controller/embedded/private_file.h"

namespace keyturn::embedded {

Result<> write_kubeconfig(const std::string& path, const std::string& server_url, const std::string& ca_pem, const Secret& token) {
  // Built inside the arena, because the token goes into it.
  SecretBuffer text;
  text.append("apiVersion: v1\nkind: Config\nclusters:\n- name: keyturn\n  cluster:\n    server: ").append(server_url);
  if (!ca_pem.empty()) text.append("\n    certificate-authority-data: ").append(to_base64(ca_pem));
  text.append("\nusers:\n- name: keyturn\n  user:\n    token: ").append(token);
  text.append("\ncontexts:\n- name: keyturn\n  context: {cluster: keyturn, user: keyturn, namespace: default}\ncurrent-context: keyturn\n");
  return write_private_file(path, std::move(text).finish());
}

}  // namespace keyturn::embedded
