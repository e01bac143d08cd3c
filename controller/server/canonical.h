// How an Error leaves the process: its canonical code (google.rpc.Code) and its HTTP status, from one table for both APIs.
#pragma once

#include <string_view>

#include "base/error.h"

namespace keyturn {

struct Canonical {
  int code;               // google.rpc.Code, the number that gRPC sends
  std::string_view name;  // its name, as the HTTP gateway's "code"
  int http_status;
};

// The API only reads, so an outcome that is not known is merely an answer that is missing: ask again.
constexpr Canonical canonical_of(Errc code) {
  switch (code) {
    case Errc::NotFound:
      return {5, "NOT_FOUND", 404};
    case Errc::Conflict:
      return {10, "ABORTED", 409};
    case Errc::Expired:
      return {4, "DEADLINE_EXCEEDED", 504};
    case Errc::Throttled:
      return {8, "RESOURCE_EXHAUSTED", 429};
    case Errc::Unavailable:
    case Errc::OutcomeUnknown:
    case Errc::Cancelled:
      return {14, "UNAVAILABLE", 503};
    case Errc::Denied:
      return {7, "PERMISSION_DENIED", 403};
    case Errc::Invalid:
      return {3, "INVALID_ARGUMENT", 400};
    case Errc::Internal:
      break;
  }
  return {13, "INTERNAL", 500};
}
// Nobody asked: there is no Errc for it, because nothing inside the program reacts to it.
inline constexpr Canonical unauthenticated{16, "UNAUTHENTICATED", 401};

}  // namespace keyturn
