// A repository that a test writes, commit by commit, with libgit2 and without a work tree.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

struct git_repository;

namespace keyturn::git {

class WrittenRepository {
 public:
  using Files = std::map<std::string, std::string>;
  // What is not a plain file: where a link points to, or the commit of a submodule.
  struct Extras {
    std::map<std::string, std::string> links;
    std::vector<std::string> submodules;
  };

  WrittenRepository();
  ~WrittenRepository();
  WrittenRepository(const WrittenRepository&) = delete;
  WrittenRepository& operator=(const WrittenRepository&) = delete;

  std::string path() const { return (directory_.path() / "repository.git").string(); }

  // A commit with exactly these files on top of the branch; its id.
  std::string commit(const Files& files, const Extras& extras = {}, const std::string& branch = "main");
  // Makes the branch point to `commit`, wherever it was.
  void force(const std::string& commit, const std::string& branch = "main");
  void drop_branch(const std::string& branch = "main");

 private:
  TemporaryDirectory directory_;
  git_repository* repository_ = nullptr;
};

}  // namespace keyturn::git
