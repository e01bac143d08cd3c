// New values: enough entropy, and by construction nothing that a shell, SQL, a URL or a connection string would take for syntax.
#pragma once

#include <string_view>

#include "api/secret_rotation.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"

namespace keyturn {

// Limits of Generator::length. The shortest password has 87 bits (the default of 32 characters has 183), the shortest of the others 128;
// the longest is the longest password that SQL Server takes.
inline constexpr int password_length_min = 16;
inline constexpr int password_length_max = 128;
inline constexpr int random_bytes_min = 16;
inline constexpr int random_bytes_max = 512;

// Password: letters, digits and "-_.~", at least one of each class, none of them at either end but letters and digits.
// Hex and Base64 (URL-safe, unpadded): of `length` random bytes. Uuid: version 4, for systems that want that shape.
// All fit every format unescaped. Errors: Invalid (length out of range; ProviderMinted, which nobody but the provider makes).
Result<Secret> generate(const api::Generator& generator, const api::SecretFormat& format, Random& random);

// The characters that a generator's values may hold. A provider's values: those of Base64, as keys of Azure's services are.
std::string_view alphabet_of(api::GeneratorType type) noexcept;

}  // namespace keyturn
