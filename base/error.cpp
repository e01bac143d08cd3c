#include "base/error.h"

namespace keyturn {

std::string_view name_of(Errc code) noexcept {
  switch (code) {
    case Errc::NotFound:
      return "NotFound";
    case Errc::Conflict:
      return "Conflict";
    case Errc::Expired:
      return "Expired";
    case Errc::Throttled:
      return "Throttled";
    case Errc::Unavailable:
      return "Unavailable";
    case Errc::OutcomeUnknown:
      return "OutcomeUnknown";
    case Errc::Denied:
      return "Denied";
    case Errc::Invalid:
      return "Invalid";
    case Errc::Cancelled:
      return "Cancelled";
    case Errc::Internal:
      return "Internal";
  }
  return "Internal";
}

}  // namespace keyturn
