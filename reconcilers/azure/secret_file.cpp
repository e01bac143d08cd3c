#include "reconcilers/azure/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace keyturn {
namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

Secret trimmed(const Secret& whole) {
  return whole.expose([](std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ' || text.back() == '\t'))
      text.remove_suffix(1);
    return Secret::copy_of(text);
  });
}

}  // namespace

Result<Secret> read_secret_file(const std::string& path) {
  const OpenFile file(path);
  if (file.descriptor() < 0) return Error{Errc::Denied, "the identity's file cannot be opened"};
  struct stat status{};
  if (::fstat(file.descriptor(), &status) != 0 || !S_ISREG(status.st_mode))
    return Error{Errc::Invalid, "the identity's file is not a file"};
  SecretBuffer content;
  for (;;) {
    const std::span<char> room = content.prepare(4'096);
    const ssize_t got = ::read(file.descriptor(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Errc::Denied, "the identity's file cannot be read"};
    if (got == 0) break;
    content.commit(static_cast<std::size_t>(got));
    if (content.size() > secret_file_bytes_max) return Error{Errc::Invalid, "the identity's file is too large"};
  }
  Secret value = trimmed(std::move(content).finish());
  if (value.empty()) return Error{Errc::Invalid, "the identity's file is empty"};
  return value;
}

}  // namespace keyturn
