#include "sim/state_dir.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace keyturn::sim {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string>& served_names() {
  static const std::vector<std::string> names{"localhost", "127.0.0.1", "*.vault.azure.net", "management.azure.com",
                                              "login.microsoftonline.com"};
  return names;
}

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{Errc::Invalid, "a file of the state directory cannot be read"};
  return std::move(text).str();
}

Result<> make_authority(const fs::path& ca_file, const fs::path& key_file) {
  auto made = net::generate_tls("keyturn-sim authority", served_names());
  if (!made) return made.error();
  const fs::perms only_owner = fs::perms::owner_read | fs::perms::owner_write;
  const auto key_written = write_file(key_file, made->ca_key_pem, only_owner);
  OPENSSL_cleanse(made->ca_key_pem.data(), made->ca_key_pem.size());
  if (!key_written) return key_written.error();
  return write_file(ca_file, made->ca_pem, only_owner | fs::perms::group_read | fs::perms::others_read);
}

}  // namespace

Result<> write_file(const fs::path& path, const std::string& contents, fs::perms permissions) {
  const fs::path draft = path.string() + ".new";
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, static_cast<mode_t>(permissions));
  if (file < 0) return Error{Errc::Denied, "a file cannot be written"};
  std::size_t written = 0;
  while (written < contents.size()) {
    const ssize_t count = ::write(file, contents.data() + written, contents.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  const bool closed = ::close(file) == 0;
  std::error_code failed;
  if (written == contents.size() && closed) fs::rename(draft, path, failed);
  if (written != contents.size() || !closed || failed) return Error{Errc::Denied, "a file cannot be written"};
  return ok();
}

Result<StateDir> open_state_dir(const fs::path& directory) {
  std::error_code failed;
  const bool created = fs::create_directories(directory, failed);
  if (failed) return Error{Errc::Denied, "the state directory cannot be made"};
  if (created) fs::permissions(directory, fs::perms::owner_all, failed);
  const fs::path ca_file = fs::absolute(directory / "ca.pem");
  const fs::path key_file = fs::absolute(directory / "ca-key.pem");
  if (!fs::exists(ca_file) || !fs::exists(key_file)) {
    if (const auto made = make_authority(ca_file, key_file); !made) return made.error();
  }
  const auto ca_pem = read_file(ca_file);
  if (!ca_pem) return ca_pem.error();
  auto key_pem = read_file(key_file);
  if (!key_pem) return key_pem.error();
  auto identity = net::issue_server_certificate(*ca_pem, *key_pem, served_names());
  OPENSSL_cleanse(key_pem->data(), key_pem->size());
  if (!identity) return identity.error();
  return StateDir{std::move(*identity), ca_file};
}

}  // namespace keyturn::sim
