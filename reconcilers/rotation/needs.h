// What a look has to read in a phase. No more: each read is a request to a vault, a login or a question to a platform.
#pragma once

#include "api/rotation_run.h"

namespace keyturn {

struct Needs {
  bool vaults = false;
  bool staged = false;
  bool pending = false;   // probe the pending credential
  bool old = false;       // probe the old credential
  bool baseline = false;  // consumers as they are before anything is touched
  bool consumers = false;
  bool sessions = false;  // who is still on the credential that is to go
  bool idle = false;      // who is on the login that is to be set
  bool held = false;      // what the provider holds
};

Needs needs_of(api::Protocol protocol, api::Direction direction, api::Phase phase) noexcept;

}  // namespace keyturn
