// error: fallback_formatter<keyturn::Secret>
#include <fmt/format.h>

#include "base/secret.h"

std::string f(const keyturn::Secret& secret) { return fmt::format("{}", secret); }
