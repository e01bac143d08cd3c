#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <memory>

namespace keyturn::log {
namespace {

constexpr std::size_t value_bytes_max = 4096;  // a longer value is cut: one field must not drown the log

std::atomic<Format> chosen_format{Format::Text};

// How many bytes the UTF-8 sequence at the front has, 0 when it is malformed (RFC 3629: no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && at(1) < 0xA0;
    const bool surrogate = lead == 0xED && at(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool out_of_range = (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F);
    return follows(1) && follows(2) && follows(3) && !out_of_range ? 4 : 0;
  }
  return 0;
}

// C0, DEL and C1: what a terminal or a line-based reader could take for a command.
bool is_control(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (lead < 0x20 || lead == 0x7F) return true;
  return sequence.size() == 2 && lead == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

void append_hex(std::string& out, std::string_view prefix, unsigned code, int digits) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out += prefix;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += hex[code >> shift & 15];
}

void append_control(std::string& out, std::string_view sequence) {
  const char c = sequence[0];
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else {
    append_hex(out, "\\u", static_cast<unsigned char>(sequence.back()), 4);
  }
}

// Valid inside double quotes of JSON and of our text lines alike.
void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(sequence.size());
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD, the replacement character
    } else if (is_control(sequence)) {
      append_control(out, sequence);
    } else if (sequence == "\"" || sequence == "\\") {
      out.append("\\").append(sequence);
    } else {
      out += sequence;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text.substr(0, value_bytes_max));
  if (text.size() > value_bytes_max) out += "...";
  out += '"';
}

bool needs_quotes(std::string_view text) {
  if (text.empty() || text.size() > value_bytes_max) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '\\' || c == '=') return true;
  }
  return false;
}

std::string text_line(Message message, Fields fields) {
  std::string line(message.text());
  for (const Field& field : fields) {
    line.append(" ").append(field.key()).append("=");
    if (needs_quotes(field.value())) {
      append_quoted(line, field.value());
    } else {
      line += field.value();
    }
  }
  return line;
}

// The members after level and time, which the pattern writes.
std::string json_members(Message message, Fields fields) {
  std::string line = "\"message\":";
  append_quoted(line, message.text());
  for (const Field& field : fields) {
    line += ',';
    append_quoted(line, field.key());
    line += ':';
    append_quoted(line, field.value());
  }
  return line;
}

spdlog::level::level_enum spdlog_level(Level level) {
  static constexpr std::array<spdlog::level::level_enum, 4> levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                                   spdlog::level::err};
  return levels[static_cast<std::size_t>(level)];
}

std::unique_ptr<spdlog::formatter> line_formatter(Format format) {
  const char* pattern = format == Format::Json ? R"({"level":"%l","time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%l %Y-%m-%dT%H:%M:%S.%eZ %v";
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
}

spdlog::logger& logger() {
  static spdlog::logger only = [] {
    spdlog::logger made("keyturn", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_formatter(line_formatter(Format::Text));
    made.set_level(spdlog::level::info);
    return made;
  }();
  return only;
}

}  // namespace

void configure(Level level, Format format) {
  chosen_format = format;
  logger().set_formatter(line_formatter(format));
  logger().set_level(spdlog_level(level));
}

void write(Level level, Message message, Fields fields) {
  const auto at = spdlog_level(level);
  if (!logger().should_log(at)) return;
  const std::string line = chosen_format == Format::Json ? json_members(message, fields) : text_line(message, fields);
  logger().log(at, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace keyturn::log
