// A branch of a Git repository, read without a work tree. Everything here blocks: call it on a thread of the BlockingPool only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "controller/embedded/git/manifests.h"

namespace keyturn::git {

struct Limits {
  std::size_t file_bytes_max = std::size_t{1} << 20;
  std::size_t files_max = 10'000;  // manifests
};

struct GitLocation {
  std::string url;  // https://..., file:///... or an absolute path
  std::string branch = "main";
  std::string folder;  // within the repository; empty = all of it
  std::string cache;   // directory for the mirror of a remote repository; made when missing, may be deleted at any time
  // For https only.
  std::string ca_file;     // PEM bundle to believe; empty = the system's
  std::string username;    // with a token: as the server wants it
  std::string token_file;  // empty = nobody logs in
};

// What the branch held at one commit.
struct GitSnapshot {
  std::string commit;
  std::string author;   // "Name <address>"
  std::string subject;  // first line of its message
  std::vector<GitObject> objects;
  std::vector<std::string> problems;
  bool rewritten = false;  // the commit known before is not among its ancestors: somebody forced the branch
};

class GitRepository {
 public:
  static constexpr std::size_t entries_max = 500'000;  // of all folders
  static constexpr int depth_max = 32;
  static constexpr std::size_t fetch_bytes_max = std::size_t{512} << 20;

  explicit GitRepository(GitLocation location, Limits limits = {});
  ~GitRepository();
  GitRepository(const GitRepository&) = delete;
  GitRepository& operator=(const GitRepository&) = delete;

  // What the head of the branch holds, or nothing when it still is `known`. Symbolic links, submodules and names that begin with a dot
  // are passed over. A file over its limit is a problem of the snapshot; too many files refuse the whole.
  // Errors: NotFound (repository, branch or folder), Denied (login, certificate, foreign ownership), Unavailable, Invalid (an address of
  // another kind, an impossible branch name, too many files).
  Result<std::optional<GitSnapshot>> read(const std::string& known, Context context) const;

 private:
  Result<> check() const;
  bool is_remote() const { return location_.url.starts_with("https://"); }
  std::string local_path() const;

  const GitLocation location_;
  const Limits limits_;
};

}  // namespace keyturn::git
