#include "tests/support/memory_scan.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace keyturn {
namespace {

constexpr char mask = 0x5A;
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
constexpr std::size_t window_bytes = std::size_t{1} << 20;

struct Region {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The window is mapped by itself, so that it can be told apart from what is scanned.
class Window {
 public:
  Window() : bytes_(static_cast<char*>(::mmap(nullptr, window_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (bytes_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Window() { ::munmap(bytes_, window_bytes); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  char* bytes() const { return bytes_; }
  bool lies_in(const Region& region) const {
    const auto at = reinterpret_cast<std::uintptr_t>(bytes_);
    return at >= region.begin && at < region.end;
  }

 private:
  char* bytes_;
};

std::size_t count_in(std::string_view bytes, std::string_view masked) {
  std::size_t found = 0;
  const char first = static_cast<char>(masked[0] ^ mask);
  for (std::size_t i = bytes.find(first); i != std::string_view::npos && i + masked.size() <= bytes.size(); i = bytes.find(first, i + 1)) {
    std::size_t same = 1;
    while (same < masked.size() && static_cast<char>(bytes[i + same] ^ mask) == masked[same]) ++same;
    if (same == masked.size()) ++found;
  }
  return found;
}

// Pages of huge reservations that were never touched (as the sanitizers make) cannot be read in time and hold nothing.
std::size_t count_in_region(int memory, const Region& region, const Window& window, std::string_view masked) {
  if (region.end - region.begin > (std::uint64_t{1} << 30)) return 0;
  std::size_t found = 0;
  for (std::uint64_t at = region.begin; at < region.end; at += window_bytes - masked.size()) {
    const std::size_t wanted = std::min<std::uint64_t>(window_bytes, region.end - at);
    const ssize_t size = ::pread(memory, window.bytes(), wanted, static_cast<off_t>(at));
    if (size <= 0) continue;
    found += count_in(std::string_view(window.bytes(), static_cast<std::size_t>(size)), masked);
    OPENSSL_cleanse(window.bytes(), static_cast<std::size_t>(size));
  }
  return found;
}

}  // namespace

Canary::Canary(Random& random) : masked_(size, '\0') {
  for (char& c : masked_) c = static_cast<char>(letters[random.below(static_cast<std::uint32_t>(letters.size()))] ^ mask);
}

Secret Canary::reveal() const {
  SecretBuffer out(size);
  for (const char c : masked_) out.push_back(static_cast<char>(c ^ mask));
  return std::move(out).finish();
}

std::size_t Canary::copies() const {
  const Window window;
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (memory < 0) throw std::runtime_error("own memory cannot be read");
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    Region region;
    char rights[8] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %7s", &region.begin, &region.end, rights) != 3) continue;
    if (rights[0] != 'r' || rights[1] != 'w' || window.lies_in(region)) continue;
    found += count_in_region(memory, region, window, masked_);
  }
  ::close(memory);
  return found;
}

}  // namespace keyturn
