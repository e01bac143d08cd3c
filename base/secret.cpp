#include "base/secret.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace keyturn {
namespace {

// Blocks are whole granules: one cache line, which is also more alignment than any value we keep here asks for.
constexpr std::size_t granule = 64;

// One mapping between two guard pages. The record of what is in use lives outside, so that a write beyond a block cannot turn the
// allocator against us, and freeing needs no memory. One mutex, because blocking clients use secrets on their own threads.
class Arena {
 public:
  explicit Arena(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = (std::max(bytes, page) + page - 1) / page * page;
    void* map = ::mmap(nullptr, size_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<char*>(map) + page;
    if (::mprotect(base_, size_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    ::madvise(base_, size_, MADV_DONTDUMP);
    ::madvise(base_, size_, MADV_WIPEONFORK);  // a child sees zeros, never a value
    used_.assign(size_ / granule, 0);
  }

  bool lock() {
    const std::lock_guard hold(mutex_);
    // Asked of the kernel itself: the address sanitizer's mlock does nothing and claims success.
    if (!locked_) locked_ = ::syscall(SYS_mlock, base_, size_) == 0;
    return locked_;
  }

  std::size_t size() const noexcept { return size_; }

  std::size_t bytes_in_use() noexcept {
    const std::lock_guard hold(mutex_);
    return granules_in_use_ * granule;
  }

  void* allocate(std::size_t bytes) {
    if (bytes > size_) throw std::bad_alloc();
    const std::size_t wanted = granules_of(bytes);
    const std::lock_guard hold(mutex_);
    std::size_t begin = find(hint_, used_.size(), wanted);
    if (begin == used_.size()) begin = find(0, used_.size(), wanted);
    if (begin == used_.size()) throw std::bad_alloc();
    std::fill_n(used_.begin() + static_cast<std::ptrdiff_t>(begin), wanted, std::uint8_t{1});
    granules_in_use_ += wanted;
    hint_ = begin + wanted;
    return base_ + begin * granule;
  }

  void release(void* block, std::size_t bytes) noexcept {
    const std::size_t count = granules_of(bytes);
    OPENSSL_cleanse(block, count * granule);
    const auto begin = static_cast<std::size_t>(static_cast<char*>(block) - base_) / granule;
    const std::lock_guard hold(mutex_);
    std::fill_n(used_.begin() + static_cast<std::ptrdiff_t>(begin), count, std::uint8_t{0});
    granules_in_use_ -= count;
    hint_ = std::min(hint_, begin);
  }

 private:
  static std::size_t granules_of(std::size_t bytes) { return std::max<std::size_t>(1, (bytes + granule - 1) / granule); }

  // The first run of `wanted` free granules that begins at or after `from`, or `end`.
  std::size_t find(std::size_t from, std::size_t end, std::size_t wanted) const {
    std::size_t run = 0;
    for (std::size_t i = from; i < end; ++i) {
      run = used_[i] != 0 ? 0 : run + 1;
      if (run == wanted) return i + 1 - wanted;
    }
    return end;
  }

  std::mutex mutex_;
  char* base_ = nullptr;
  std::size_t size_ = 0;
  bool locked_ = false;
  std::vector<std::uint8_t> used_;
  std::size_t granules_in_use_ = 0;
  std::size_t hint_ = 0;
};

// Never destroyed: static objects may still hold secrets while the process ends.
Arena& arena(std::size_t bytes = SecretArena::bytes_default) {
  static Arena* const only = [bytes] {
    auto* made = new Arena(bytes);
    made->lock();  // as well as it can; SecretArena::lock is where failing matters
    return made;
  }();
  return *only;
}

Result<> forbid_dumps() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return Error{Errc::Denied, "core dumps cannot be turned off"};
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Error{Errc::Denied, "the process cannot be made non-dumpable"};
  return ok();
}

}  // namespace

Result<> SecretArena::lock(std::size_t bytes, Locking locking) {
  if (auto done = forbid_dumps(); !done) return done;
  Arena& only = arena(bytes);
  if (only.size() < bytes) return Error{Errc::Invalid, "the secret arena was already made smaller than asked for"};
  if (!only.lock() && locking == Locking::Required) return Error{Errc::Denied, "memory for secrets cannot be locked: raise RLIMIT_MEMLOCK"};
  return ok();
}

std::size_t SecretArena::bytes_in_use() noexcept { return arena().bytes_in_use(); }
void* SecretArena::allocate(std::size_t bytes) { return arena().allocate(bytes); }
void SecretArena::release(void* block, std::size_t bytes) noexcept {
  if (block != nullptr) arena().release(block, bytes);
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  SecretArena::release(bytes_, capacity_);
  bytes_ = std::exchange(other.bytes_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

Secret::~Secret() { SecretArena::release(bytes_, capacity_); }

Secret Secret::copy_of(std::string_view bytes) {
  if (bytes.empty()) return {};
  auto* block = static_cast<char*>(SecretArena::allocate(bytes.size()));
  std::memcpy(block, bytes.data(), bytes.size());
  return {block, bytes.size(), bytes.size()};
}

Secret Secret::clone() const { return copy_of(std::string_view(bytes_, size_)); }

bool Secret::equals(const Secret& other) const noexcept {
  return size_ == other.size_ && (size_ == 0 || CRYPTO_memcmp(bytes_, other.bytes_, size_) == 0);
}

SecretBuffer::SecretBuffer(std::size_t capacity) { grow(capacity); }

void SecretBuffer::grow(std::size_t capacity) {
  if (capacity <= secret_.capacity_) return;
  auto* block = static_cast<char*>(SecretArena::allocate(capacity));
  if (secret_.size_ != 0) std::memcpy(block, secret_.bytes_, secret_.size_);
  secret_ = Secret(block, secret_.size_, capacity);  // the old block is wiped here
}

std::span<char> SecretBuffer::prepare(std::size_t bytes) {
  const std::size_t needed = secret_.size_ + bytes;
  // Doubling keeps the number of copies small; when the arena has no room for that, what is needed must do.
  if (needed > secret_.capacity_) grow(std::max(needed, std::min(secret_.capacity_ * 2, needed + SecretArena::bytes_default / 16)));
  return {secret_.bytes_ + secret_.size_, bytes};
}

void SecretBuffer::commit(std::size_t bytes) { secret_.size_ += bytes; }

SecretBuffer& SecretBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return *this;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
  return *this;
}

SecretBuffer& SecretBuffer::append(const Secret& secret) {
  return secret.expose([this](std::string_view bytes) -> SecretBuffer& { return append(bytes); });
}

void SecretBuffer::consume(std::size_t bytes) {
  const std::size_t rest = secret_.size_ - bytes;
  if (rest != 0) std::memmove(secret_.bytes_, secret_.bytes_ + bytes, rest);
  if (bytes != 0) OPENSSL_cleanse(secret_.bytes_ + rest, bytes);
  secret_.size_ = rest;
}

Secret SecretBuffer::finish() && { return std::move(secret_); }

}  // namespace keyturn
