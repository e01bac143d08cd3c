#include "reconcilers/wire/principal_name.h"

namespace keyturn {

bool is_plain_principal(std::string_view name, std::size_t bytes_max) {
  static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@$#-";
  return !name.empty() && name.size() <= bytes_max && name.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace keyturn
