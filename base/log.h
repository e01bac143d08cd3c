// Structured logs on spdlog: a constant message and named fields. A field cannot be built from a Secret.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "base/time.h"

namespace keyturn::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Text, Json };

// One name and its rendered value. Fields are rendered before the level is known to be enabled only for cheap types.
class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(value) {}
  Field(std::string_view key, const std::string& value) : key_(key), value_(value) {}
  Field(std::string_view key, std::int64_t value) : key_(key), value_(std::to_string(value)) {}
  Field(std::string_view key, int value) : key_(key), value_(std::to_string(value)) {}
  Field(std::string_view key, std::size_t value) : key_(key), value_(std::to_string(value)) {}
  Field(std::string_view key, bool value) : key_(key), value_(value ? "true" : "false") {}
  Field(std::string_view key, Duration value) : key_(key), value_(format_duration(value)) {}
  Field(std::string_view key, const ObjectKey& value) : key_(key), value_(value.to_string()) {}
  Field(std::string_view key, const Error& error) : key_(key), value_(std::string(name_of(error.code)) + ": " + error.message) {}
  Field(std::string_view key, const Secret&) = delete;

  std::string_view key() const noexcept { return key_; }
  std::string_view value() const noexcept { return value_; }

 private:
  std::string_view key_;
  std::string value_;
};
using Fields = std::initializer_list<Field>;

// Once, by main. Logs go to standard error.
void configure(Level level, Format format);

// `message` is a literal: consteval refuses anything else, so that no value can slip into it.
class Message {
 public:
  consteval Message(const char* text) : text_(text) {}
  std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

void write(Level level, Message message, Fields fields);
inline void debug(Message message, Fields fields = {}) { write(Level::Debug, message, fields); }
inline void info(Message message, Fields fields = {}) { write(Level::Info, message, fields); }
inline void warn(Message message, Fields fields = {}) { write(Level::Warn, message, fields); }
inline void error(Message message, Fields fields = {}) { write(Level::Error, message, fields); }

}  // namespace keyturn::log
