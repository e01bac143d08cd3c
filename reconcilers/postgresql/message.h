// The few messages of PostgreSQL's protocol 3.0 that a login needs. Source: postgresql.org/docs/current/protocol-message-formats.html.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace keyturn::postgresql {

inline constexpr std::size_t message_bytes_max = 64 * 1024;

// Requests, ready to be sent.
std::string ssl_request();
std::string startup_message(std::string_view user, std::string_view database);
std::string sasl_initial_response(std::string_view mechanism, std::string_view data);
std::string sasl_response(std::string_view data);
std::string terminate();

// A message from the server: its type byte and what follows the length.
struct Message {
  char type = 0;
  std::string body;
};
// The first message in `input`, or nothing while it is incomplete; `taken` is how many bytes it took. Errors: Invalid.
Result<std::optional<Message>> parse_message(std::string_view input, std::size_t& taken);

// 'R': which authentication the server asks for, and the data after the code.
enum class AuthenticationKind : std::int32_t { Ok = 0, Sasl = 10, SaslContinue = 11, SaslFinal = 12 };
struct Authentication {
  std::int32_t code = -1;
  std::string_view data;
  bool is(AuthenticationKind kind) const { return code == static_cast<std::int32_t>(kind); }
};
std::optional<Authentication> parse_authentication(const Message& message);
// Whether the list of mechanisms of an AuthenticationSASL contains this one.
bool offers_mechanism(std::string_view data, std::string_view mechanism);

// 'E': field 'C', five characters; empty when absent or malformed. The texts are dropped: they may repeat what was sent.
std::string sqlstate_of(const Message& message);

}  // namespace keyturn::postgresql
