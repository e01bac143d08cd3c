// Times in the headers of replies. The server's own clock is what evidence is measured by (CA-A1), so no local clock is involved.
#pragma once

#include <optional>
#include <string_view>

#include "base/net/http_message.h"
#include "base/time.h"

namespace keyturn {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7, the preferred form). Nothing for any other form.
std::optional<Instant> parse_http_date(std::string_view text);
std::string format_http_date(Instant at);

// The server's own time when it answered, in whole seconds.
std::optional<Instant> reply_date(const net::HttpReply& reply);

// How long the server asks to wait: retry-after-ms, x-ms-retry-after-ms, or Retry-After in seconds or as a date measured against the
// reply's own Date. Capped, so that a hostile answer cannot stop a rotation; negative becomes zero.
inline constexpr Duration retry_after_max{600'000};
std::optional<Duration> retry_after(const net::HttpReply& reply);

}  // namespace keyturn
