// A growing buffer for clear text that is on its way to be encrypted or was just decrypted; overwritten when dropped. Not locked in
// memory: the objects it is made for are too large for the arena of Secret.
#pragma once

#include <openssl/crypto.h>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace keyturn {

class WipedBytes {
 public:
  WipedBytes() = default;
  explicit WipedBytes(std::size_t size) : bytes_(std::make_unique<char[]>(size)), size_(size), capacity_(size) {}
  WipedBytes(WipedBytes&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  WipedBytes& operator=(WipedBytes&&) = delete;
  ~WipedBytes() { wipe(); }

  void append(std::string_view more) {
    if (size_ + more.size() > capacity_) grow(2 * (size_ + more.size()));
    std::memcpy(bytes_.get() + size_, more.data(), more.size());
    size_ += more.size();
  }
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  std::span<char> writable() noexcept { return {bytes_.get(), size_}; }

 private:
  void grow(std::size_t capacity) {
    auto bigger = std::make_unique<char[]>(capacity);
    if (size_ != 0) std::memcpy(bigger.get(), bytes_.get(), size_);
    wipe();
    bytes_ = std::move(bigger);
    capacity_ = capacity;
  }
  void wipe() {
    if (bytes_) OPENSSL_cleanse(bytes_.get(), capacity_);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace keyturn
