#include "api/words.h"

#include "api/codec.h"

namespace keyturn::api {

std::string_view name_of(Reason value) noexcept { return word_of(value); }
std::string_view name_of(Phase value) noexcept { return word_of(value); }
std::string_view name_of(Direction value) noexcept { return word_of(value); }
std::string_view name_of(Protocol value) noexcept { return word_of(value); }
std::string_view name_of(CredentialState value) noexcept { return word_of(value); }
std::string_view name_of(TargetKind value) noexcept { return word_of(value); }
std::string_view name_of(Tristate value) noexcept { return word_of(value); }

}  // namespace keyturn::api
