// A branch of a Git repository, read through libgit2: which commit it points to, and the files below a folder at that commit.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace keyturn::git {

struct File {
  std::string path;
  std::string text;
};
struct Tree {
  std::string commit;  // 40 hex digits
  std::string author;
  std::string subject;
  std::vector<File> files;            // by path
  std::vector<std::string> problems;  // what was left out, and why
};

struct Limits {
  std::size_t file_bytes_max = std::size_t{1} << 20;
  std::size_t files_max = 10'000;
};

// Blocking calls, for the pool. The mirror is a bare repository of ours below `cache`: it is fetched into, never checked out.
class Repository {
 public:
  // `url`: a local path, file:// or https://. Errors: Invalid (no such branch, not a repository), Unavailable (cannot be reached).
  Repository(std::string url, std::string branch, std::string cache);

  // Fetches and says which commit the branch points to. A branch that was moved by force is followed.
  Result<std::string> head() const;
  // Manifests (*.yaml, *.yml, *.json) below `folder` at `commit`. Symbolic links and submodules are left out.
  Result<Tree> read(const std::string& commit, const std::string& folder, Limits limits) const;

 private:
  std::string url_;
  std::string branch_;
  std::string cache_;
};

}  // namespace keyturn::git
