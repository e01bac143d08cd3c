// A login at PostgreSQL and nothing more: enough of the protocol to learn, with certainty, whether a password is accepted.
#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/task.h"
#include "reconcilers/rotation/systems.h"
#include "reconcilers/wire/connection.h"

namespace keyturn::postgresql {

// Our own client instead of libpq, because this one tells the SQLSTATE of a refusal, and the password never leaves its Secret: only
// SCRAM's proof is sent. Only SCRAM-SHA-256 is spoken; a server that asks for a cleartext or MD5 password, or for none, gives Unknown,
// because such a login would disclose the password or prove nothing.
//   Accepted  the server took the proof and proved that it knows the verifier; also if the role may then not use `database`
//   Rejected  28P01 or 28000 before that. PostgreSQL answers the same for a role that does not exist or whose VALID UNTIL has passed
//   Locked    the password is right, and the role may not log in (NOLOGIN)
//   Unknown   everything else, network and time-outs included
Awaitable<ProbeResult> probe_login(Context context, wire::Peer peer, std::string database, std::string principal, const Secret& password,
                                   Random& random);

}  // namespace keyturn::postgresql
