#include "controller/embedded/protobuf.h"

#include <bit>

namespace keyturn::embedded {

bool ProtoReader::varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (text_.empty()) return false;
    const auto byte = static_cast<unsigned char>(text_.front());
    text_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool ProtoReader::next() {
  bytes_ = {};
  number_ = 0;
  if (!ok_ || text_.empty()) return false;
  std::uint64_t tag = 0;
  ok_ = varint(tag) && (tag >> 3) != 0 && (tag >> 3) < (1U << 29);
  if (!ok_) return false;
  field_ = static_cast<std::uint32_t>(tag >> 3);
  std::uint64_t size = 0;
  switch (tag & 7) {
    case 0:
      ok_ = varint(number_);
      return ok_;
    case 1:
      size = 8;
      break;
    case 2:
      ok_ = varint(size);
      break;
    case 5:
      size = 4;
      break;
    default:
      ok_ = false;
  }
  ok_ = ok_ && size <= text_.size();
  if (!ok_) return false;
  bytes_ = text_.substr(0, size);
  text_.remove_prefix(size);
  return true;
}

void ProtoWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_ += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  out_ += static_cast<char>(value);
}

ProtoWriter& ProtoWriter::text(std::uint32_t field, std::string_view value) {
  varint((std::uint64_t{field} << 3) | 2);
  varint(value.size());
  out_ += value;
  return *this;
}

ProtoWriter& ProtoWriter::number(std::uint32_t field, std::uint64_t value) {
  varint(std::uint64_t{field} << 3);
  varint(value);
  return *this;
}

ProtoWriter& ProtoWriter::real(std::uint32_t field, double value) {
  varint((std::uint64_t{field} << 3) | 1);
  auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 0; i < 8; ++i, bits >>= 8) out_ += static_cast<char>(bits & 0xff);
  return *this;
}

}  // namespace keyturn::embedded
