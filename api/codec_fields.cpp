#include "api/codec_fields.h"

#include <cmath>
#include <limits>

namespace keyturn::api::codec {

namespace json = boost::json;

std::string encode_instant(Instant at) {
  const bool whole = at.time_since_epoch() % std::chrono::seconds(1) == Duration::zero();
  return whole ? format_seconds(at) : format_micros(at);
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) {
    return value.get_int64();
  }
  if (value.is_uint64() && value.get_uint64() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return static_cast<std::int64_t>(value.get_uint64());
  }
  // Above 2^53 a double no longer tells neighbouring integers apart.
  constexpr double exact_max = 9007199254740992.0;
  if (value.is_double() && std::abs(value.get_double()) <= exact_max && value.get_double() == std::floor(value.get_double())) {
    return static_cast<std::int64_t>(value.get_double());
  }
  return std::nullopt;
}

bool Reader::read(const json::value& value, std::string& out) {
  const auto* text = value.if_string();
  if (text == nullptr) {
    return expect("a string");
  }
  out.assign(text->data(), text->size());
  return true;
}

bool Reader::read(const json::value& value, bool& out) {
  if (!value.is_bool()) {
    return expect("true or false");
  }
  out = value.get_bool();
  return true;
}

bool Reader::read(const json::value& value, std::int64_t& out) {
  const auto number = whole_number(value);
  if (!number) {
    return expect("a whole number");
  }
  out = *number;
  return true;
}

bool Reader::read(const json::value& value, int& out) {
  const auto number = whole_number(value);
  if (!number || *number < std::numeric_limits<int>::min() || *number > std::numeric_limits<int>::max()) {
    return expect("a whole number of at most 32 bits");
  }
  out = static_cast<int>(*number);
  return true;
}

bool Reader::read(const json::value& value, Instant& out) {
  const auto* text = value.if_string();
  const auto instant = text == nullptr ? std::nullopt : parse_rfc3339(std::string_view(*text));
  if (!instant) {
    return expect("a time such as 2026-11-22T18:00:00Z");
  }
  out = *instant;
  return true;
}

bool Reader::read(const json::value& value, Duration& out) {
  const auto* text = value.if_string();
  const auto duration = text == nullptr ? std::nullopt : parse_duration(std::string_view(*text));
  if (!duration) {
    return expect("a duration such as 1h30m");
  }
  out = *duration;
  return true;
}

bool Reader::read(const json::value& value, std::map<std::string, std::string>& out) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    return expect("an object");
  }
  out.clear();
  for (const auto& member : *object) {
    std::string text;
    if (!read(member.value(), text)) {
      prepend(std::string_view(member.key()));
      return false;
    }
    out.emplace(std::string_view(member.key()), std::move(text));
  }
  return true;
}

}  // namespace keyturn::api::codec
