// Which characters of a new value would be taken for syntax on its way to the application. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/secret_rotation.h"

namespace keyturn {

// The characters that mean something in a value of this format. `render` escapes them where the format can; whether every application
// that reads the value undoes that is its own affair, which is why they are a hazard.
std::string_view syntax_of(api::FormatType format) noexcept;
// The same for the platform between the vault and the application, by the consumer's type ("ContainerApp", "EnvFile", ...).
std::string_view syntax_of_consumer(std::string_view type) noexcept;

// Those of `alphabet` that are also in `syntax`, in the alphabet's order.
std::string unsafe_in(std::string_view alphabet, std::string_view syntax);

}  // namespace keyturn
