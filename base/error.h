// Errors as values. A code exists only where somebody reacts differently to it.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace keyturn {

enum class Errc : std::uint8_t {
  NotFound,        // the thing named does not exist
  Conflict,        // a compare-and-swap lost, or a precondition failed: read again
  Expired,         // a cursor or a deadline is too old: start over from a fresh read
  Throttled,       // asked to slow down: wait `retry_after`, then repeat
  Unavailable,     // certainly not applied: nothing was sent, or the peer refused before acting
  OutcomeUnknown,  // bytes left and no definite answer came: it may be applied now, later or never. Observe before writing again
  Denied,          // identity or permission: a human must grant something
  Invalid,         // the input is wrong: a human must change it
  Cancelled,       // this process is stopping
  Internal,        // a bug or a broken invariant of ours
};

std::string_view name_of(Errc code) noexcept;

// `message` is short, stable and free of identifiers, bodies and values: it goes into conditions and logs.
struct Error {
  Errc code = Errc::Internal;
  std::string message;
  std::optional<Duration> retry_after = std::nullopt;
};

// Thrown only when the value of a failed Result is taken: a programming error, caught by the worker loop.
class BadResultAccess : public std::logic_error {
 public:
  explicit BadResultAccess(const Error& error) : std::logic_error("value taken from a failed result: " + error.message) {}
};
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) { throw BadResultAccess(error); }

// A value or an Error. Implicitly built from either; test with `if (!result)`, then `result.error()`.
template <class T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

inline Result<> ok() { return {}; }

}  // namespace keyturn
