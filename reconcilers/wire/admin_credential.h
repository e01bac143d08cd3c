// Where an adapter gets the password it administers a system with.
#pragma once

#include "base/context.h"
#include "base/secret.h"
#include "base/task.h"

namespace keyturn {

// Read anew for every act, so that no adapter holds it longer than one act takes, and a changed one is seen at once.
class AdminCredential {
 public:
  virtual ~AdminCredential() = default;
  // Errors: Denied (may not be read, or is not there), Unavailable.
  virtual Task<Secret> read(Context context) = 0;
};

}  // namespace keyturn
