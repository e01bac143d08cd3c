#include "controller/embedded/sqlite/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "controller/embedded/sqlite/object_cipher.h"

namespace keyturn {

namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const noexcept { return descriptor_ >= 0; }
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

bool sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const File directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.is_open() && ::fsync(directory.get()) == 0;
}

}  // namespace

Result<Secret> read_key_file(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    if (errno == ENOENT) return Error{Errc::NotFound, "the key file of the store is missing"};
    return Error{Errc::Unavailable, "the key file of the store cannot be opened"};
  }
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return Error{Errc::Unavailable, "the key file of the store cannot be read"};
  if (!S_ISREG(about.st_mode)) return Error{Errc::Invalid, "the key file of the store is not a file"};
  if ((about.st_mode & 077) != 0) return Error{Errc::Denied, "the key file of the store is accessible to others: it needs mode 0600"};
  if (about.st_size != ObjectCipher::key_bytes) return Error{Errc::Invalid, "the key of the store has the wrong length"};
  SecretBuffer key;
  const std::span<char> room = key.prepare(ObjectCipher::key_bytes);
  const ssize_t got = ::read(file.get(), room.data(), ObjectCipher::key_bytes);
  if (got != ObjectCipher::key_bytes) return Error{Errc::Unavailable, "the key file of the store cannot be read"};
  key.commit(ObjectCipher::key_bytes);
  return std::move(key).finish();
}

// By a file of another name and a hard link, so that a crash leaves a whole key or none, and an existing key always wins.
Result<Secret> create_key_file(const std::string& path, Random& random) {
  const Error failed{Errc::Unavailable, "the key file of the store cannot be written"};
  const std::string draft = path + ".new";
  SecretBuffer key;
  const std::span<char> room = key.prepare(ObjectCipher::key_bytes);
  random.fill({reinterpret_cast<unsigned char*>(room.data()), ObjectCipher::key_bytes});
  key.commit(ObjectCipher::key_bytes);
  Secret made = std::move(key).finish();

  ::unlink(draft.c_str());
  {
    const File file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return failed;
    const bool written = made.expose([&](std::string_view bytes) {
      return ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(file.get()) == 0;
    });
    if (!written) {
      ::unlink(draft.c_str());
      return failed;
    }
  }
  const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
  const bool exists = !linked && errno == EEXIST;
  ::unlink(draft.c_str());
  if (exists) return Error{Errc::Conflict, "the key file of the store exists"};
  if (!linked || !sync_directory_of(path)) return failed;
  return made;
}

}  // namespace keyturn
