// The only home of a secret value: locked, non-dumpable, wiped memory behind a type that cannot be printed, copied or converted.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace keyturn {

// The arena behind every Secret: one mmap with guard pages, mlock, MADV_DONTDUMP, MADV_WIPEONFORK. Blocks are wiped when freed.
// `lock` is called once by main before the first Secret; it fails with Denied when memory cannot be locked (RLIMIT_MEMLOCK) and
// the caller did not opt out, and also sets PR_SET_DUMPABLE=0 and RLIMIT_CORE=0. Without the call the arena is made on first use.
class SecretArena {
 public:
  static constexpr std::size_t bytes_default = std::size_t{1} << 20;
  enum class Locking { Required, BestEffort };
  static Result<> lock(std::size_t bytes = bytes_default, Locking locking = Locking::Required);
  static std::size_t bytes_in_use() noexcept;

  // For SecretMemoryResource and Secret only. Throws std::bad_alloc when the arena is full.
  static void* allocate(std::size_t bytes);
  static void release(void* block, std::size_t bytes) noexcept;
};

// Move-only. No stream operator, no formatter, no conversion, no data(): the bytes are seen only inside expose(f).
class Secret {
 public:
  Secret() noexcept = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // Copies `bytes`; the caller keeps responsibility for the original.
  static Secret copy_of(std::string_view bytes);

  // The one explicit way to have two: used where an adapter must keep its own.
  Secret clone() const;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // Calls f(std::string_view) with the bytes and returns what it returns. The view must not outlive the call.
  template <class F>
  decltype(auto) expose(F&& f) const {
    return std::forward<F>(f)(std::string_view(bytes_, size_));
  }

  // Constant time in the contents; lengths are not hidden.
  bool equals(const Secret& other) const noexcept;

 private:
  friend class SecretBuffer;
  Secret(char* bytes, std::size_t size, std::size_t capacity) noexcept : bytes_(bytes), size_(size), capacity_(capacity) {}
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Builds a Secret piece by piece inside the arena; what it held is wiped whenever it grows.
class SecretBuffer {
 public:
  SecretBuffer() noexcept = default;
  explicit SecretBuffer(std::size_t capacity);
  SecretBuffer(SecretBuffer&&) noexcept = default;
  SecretBuffer& operator=(SecretBuffer&&) noexcept = default;

  SecretBuffer& append(std::string_view bytes);
  SecretBuffer& append(const Secret& secret);
  void push_back(char byte) { append(std::string_view(&byte, 1)); }
  std::size_t size() const noexcept { return secret_.size_; }
  // The bytes so far, writable, for a reader that fills in place. Invalidated by append and grow.
  std::span<char> writable() noexcept { return {secret_.bytes_, secret_.size_}; }
  // Makes room for `bytes` more and returns that room; `commit` says how much of it was filled.
  std::span<char> prepare(std::size_t bytes);
  void commit(std::size_t bytes);
  void consume(std::size_t bytes);  // drops that many from the front, wiping them
  Secret finish() &&;

 private:
  void grow(std::size_t capacity);
  Secret secret_;
};

}  // namespace keyturn
