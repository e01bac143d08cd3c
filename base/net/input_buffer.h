// Bytes read from a connection and not yet parsed. For secret replies they lie in the arena.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

#include "base/secret.h"

namespace keyturn::net {

class InputBuffer {
 public:
  explicit InputBuffer(bool secret) : bytes_(allocate(secret, capacity_first)), capacity_(capacity_first) {}

  std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes) noexcept {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room to read into, never empty; what is unread stays in one piece. `commit` says how much of it was filled.
  std::span<char> prepare() {
    if (end_ == capacity_) make_room();
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) noexcept { end_ += bytes; }

 private:
  static constexpr std::size_t capacity_first = std::size_t{16} << 10;  // one TLS record

  struct Release {
    bool secret = false;
    std::size_t bytes = 0;
    void operator()(char* block) const noexcept {
      if (secret) {
        SecretArena::release(block, bytes);
      } else {
        ::operator delete(block);
      }
    }
  };
  using Block = std::unique_ptr<char, Release>;

  static Block allocate(bool secret, std::size_t bytes) {
    void* block = secret ? SecretArena::allocate(bytes) : ::operator new(bytes);
    return {static_cast<char*>(block), Release{secret, bytes}};
  }

  void make_room() {
    const std::size_t size = end_ - begin_;
    if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size);
    } else {
      Block larger = allocate(bytes_.get_deleter().secret, capacity_ * 2);
      std::memcpy(larger.get(), bytes_.get(), size);
      bytes_ = std::move(larger);
      capacity_ *= 2;
    }
    begin_ = 0;
    end_ = size;
  }

  Block bytes_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace keyturn::net
