// Who exists in the simulated tenant and how each shows who it is.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "sim/refusal.h"

namespace keyturn::sim {

struct Principal {
  std::string client_id;
  Secret client_secret;           // empty = cannot use one
  std::string certificate_pem;    // empty = cannot use one
  std::string federated_subject;  // empty = no workload identity
};

class Directory {
 public:
  // Once one principal is added, only those that were added are known. Before that everybody is who they say.
  void add(Principal principal);

  // Refusals are OAuth's: `code` is the error ("invalid_client"), `inner_code` the AADSTS number, always 400.
  Answer<> check_secret(std::string_view client_id, const Secret& client_secret) const;
  // `token_url` is where the assertion was sent to: the certificate's owner has to name it as audience.
  Answer<> check_assertion(std::string_view client_id, const Secret& assertion, std::string_view token_url, Instant now) const;
  Answer<> check_known(std::string_view client_id) const;

 private:
  const Principal* find(std::string_view client_id) const;

  std::map<std::string, Principal, std::less<>> principals_;  // by client id in lower case
};

}  // namespace keyturn::sim
