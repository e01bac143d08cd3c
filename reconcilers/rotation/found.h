// What the vaults hold of a secret that no run has brought in yet: something to adopt, nothing at all, or a reason to keep away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_run.h"
#include "base/context.h"
#include "reconcilers/rotation/targets.h"

namespace keyturn {

struct Found {
  enum class What : std::uint8_t {
    Published,  // every vault returns the same value: it can be adopted
    Nothing,    // no vault has ever had it, as far as vaults and journal can tell: it can be brought in for the first time
    Refused,    // `reason` and `message` tell why it is left alone
  };
  What what = What::Refused;
  std::string_view reason;
  std::string message;
  std::vector<VersionId> versions;  // Published: what each vault returns, in the order of the spec
  VersionTags tags;                 // and the first one's tags
  Secret value;
};

// Reads only. `known` are the runs of the secret that the journal has; `owner` is this store's name. `targets`, `spec` and `known` must
// outlive the call.
Awaitable<Found> find_published(Context context, const Targets& targets, const api::SecretRotationSpec& spec,
                                const std::vector<api::RotationRun>& known, std::string owner);

}  // namespace keyturn
