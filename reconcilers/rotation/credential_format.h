// How a login sits inside a stored value: alone, in a connection string, in a URL or in a JSON document. Pure; reads and edits in place. A
// key set (key_set.h) is read as the key that it sends, and written anew with one key alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/secret_rotation.h"
#include "base/error.h"
#include "base/secret.h"

namespace keyturn {

// A stored value may not be larger than what a vault takes (25 kB).
inline constexpr std::size_t rendered_bytes_max = 25'600;

struct Login {
  std::string principal;
  Secret password;
};

// The login inside `rendered`. The principal is `default_principal` when the format carries none (Opaque, no user field, a URL without
// a user). Errors: Invalid (does not parse, the field is absent, or it occurs twice so that its meaning is not certain).
Result<Login> extract(const api::SecretFormat& format, const Secret& rendered, std::string_view default_principal);

// `current` with the password, and the user where the format carries one, replaced; every other byte stays. The result is parsed back:
// it must give exactly this login and be otherwise equal to `current`, else Invalid. Where a format has a user of its own but
// `user_field` is empty (connection strings, JSON), the user stays untouched; a URL always gets the principal, unless its user is empty
// and the principal is empty or "default", which is how Redis spells that. Errors: Invalid, as for extract, and for a password that the
// format cannot hold.
Result<Secret> render(const api::SecretFormat& format, const Secret& current, std::string_view principal, const Secret& password);

}  // namespace keyturn
