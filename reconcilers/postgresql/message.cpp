#include "reconcilers/postgresql/message.h"

#include <algorithm>
#include <cctype>

namespace keyturn::postgresql {
namespace {

constexpr std::int32_t protocol_3_0 = 3 << 16;
constexpr std::int32_t ssl_request_code = 80877103;  // 1234 in the upper half, 5679 in the lower
constexpr std::size_t length_bytes = 4;

void append_int32(std::string& out, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(bits >> shift & 0xFF));
}

std::int32_t read_int32(std::string_view bytes) {
  std::uint32_t bits = 0;
  for (const char c : bytes.substr(0, 4)) bits = bits << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int32_t>(bits);
}

// Strings end at the first zero byte, so one inside would end it early.
void append_string(std::string& out, std::string_view text) {
  out.append(text.substr(0, text.find('\0')));
  out.push_back('\0');
}

std::string framed(std::string_view type, std::string_view body) {
  std::string out(type);
  append_int32(out, static_cast<std::int32_t>(body.size() + length_bytes));
  out.append(body);
  return out;
}

}  // namespace

std::string ssl_request() {
  std::string body;
  append_int32(body, ssl_request_code);
  return framed("", body);
}

std::string startup_message(std::string_view user, std::string_view database) {
  std::string body;
  append_int32(body, protocol_3_0);
  for (const std::string_view text : {std::string_view("user"), user, std::string_view("database"), database,
                                      std::string_view("application_name"), std::string_view("keyturn")})
    append_string(body, text);
  body.push_back('\0');
  return framed("", body);
}

std::string sasl_initial_response(std::string_view mechanism, std::string_view data) {
  std::string body;
  append_string(body, mechanism);
  append_int32(body, static_cast<std::int32_t>(data.size()));
  body.append(data);
  return framed("p", body);
}

std::string sasl_response(std::string_view data) { return framed("p", data); }
std::string terminate() { return framed("X", ""); }

Result<std::optional<Message>> parse_message(std::string_view input, std::size_t& taken) {
  taken = 0;
  if (input.size() < 1 + length_bytes) return std::optional<Message>();
  const std::int32_t length = read_int32(input.substr(1));
  if (length < static_cast<std::int32_t>(length_bytes) || static_cast<std::size_t>(length) > message_bytes_max)
    return Error{Errc::Invalid, "the server's message is malformed or too large"};
  const std::size_t whole = 1 + static_cast<std::size_t>(length);
  if (input.size() < whole) return std::optional<Message>();
  taken = whole;
  return std::optional<Message>(Message{input.front(), std::string(input.substr(1 + length_bytes, whole - 1 - length_bytes))});
}

std::optional<Authentication> parse_authentication(const Message& message) {
  if (message.type != 'R' || message.body.size() < 4) return std::nullopt;
  return Authentication{read_int32(message.body), std::string_view(message.body).substr(4)};
}

bool offers_mechanism(std::string_view data, std::string_view mechanism) {
  while (!data.empty() && data.front() != '\0') {
    const std::size_t end = std::min(data.find('\0'), data.size());
    if (data.substr(0, end) == mechanism) return true;
    data.remove_prefix(std::min(end + 1, data.size()));
  }
  return false;
}

std::string sqlstate_of(const Message& message) {
  if (message.type != 'E') return {};
  std::string_view fields = message.body;
  while (!fields.empty() && fields.front() != '\0') {
    const std::size_t end = fields.find('\0');
    if (end == std::string_view::npos) return {};
    const std::string_view value = fields.substr(1, end - 1);
    const bool is_code =
        value.size() == 5 && std::all_of(value.begin(), value.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)); });
    if (fields.front() == 'C') return is_code ? std::string(value) : std::string();
    fields.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace keyturn::postgresql
