#include "controller/embedded/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace keyturn::embedded {
namespace {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Error denied() { return Error{Errc::Denied, "a private file cannot be written"}; }

}  // namespace

Result<> make_private_directory(const std::string& path) {
  if (path.empty()) return ok();
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec)) return ok();
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, ec);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error{Errc::Denied, "a private directory cannot be made"};
  return ok();
}

Result<> write_private_file(const std::string& path, const Secret& text) {
  if (const Result<> made = make_private_directory(std::filesystem::path(path).parent_path().string()); !made) return made.error();
  const std::string temporary = path + ".new";
  // One that a crash left behind may have any mode, so that it is made afresh.
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return denied();
  const bool written = text.expose([file](std::string_view bytes) { return write_all(file, bytes); }) && ::fsync(file) == 0;
  ::close(file);
  if (written && std::rename(temporary.c_str(), path.c_str()) == 0) return ok();
  ::unlink(temporary.c_str());
  return Error{Errc::Unavailable, "a private file cannot be written"};
}

Result<std::string> read_private_file(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Error{Errc::NotFound, "a private file is missing"};
  if ((status.st_mode & 077) != 0) return Error{Errc::Denied, "a private file is readable by others: chmod 600"};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{Errc::Denied, "a private file cannot be read"};
  return text.str();
}

}  // namespace keyturn::embedded
