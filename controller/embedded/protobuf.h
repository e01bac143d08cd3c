// The wire format of protocol buffers, by hand: just enough to read the few bodies that kubectl insists to send in it, and to write the
// OpenAPI document that old ones insist to get in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn::embedded {

// Walks the fields of one message. Never reads outside the text; a malformed message ends the walk with ok() = false.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view text) : text_(text) {}

  // Moves to the next field. False at the end or when malformed.
  bool next();
  bool ok() const noexcept { return ok_; }
  std::uint32_t field() const noexcept { return field_; }
  std::string_view bytes() const noexcept { return bytes_; }  // of a string, bytes or message field; else empty
  std::uint64_t number() const noexcept { return number_; }   // of a varint field

 private:
  bool varint(std::uint64_t& value);

  std::string_view text_;
  bool ok_ = true;
  std::uint32_t field_ = 0;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
};

class ProtoWriter {
 public:
  ProtoWriter& text(std::uint32_t field, std::string_view value);  // string, bytes or message; an empty one is written too
  ProtoWriter& number(std::uint32_t field, std::uint64_t value);
  ProtoWriter& real(std::uint32_t field, double value);
  const std::string& bytes() const noexcept { return out_; }

 private:
  void varint(std::uint64_t value);
  std::string out_;
};

}  // namespace keyturn::embedded
