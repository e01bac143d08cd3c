#include "tests/unit/controller/git/written_repository.h"

#include <git2.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace keyturn::git {
namespace {

void need(int code) {
  if (code < 0) throw std::runtime_error(git_error_last() != nullptr ? git_error_last()->message : "libgit2 failed");
}

std::string hex_of(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

void add(git_repository* repository, git_index* index, const std::string& path, const std::string& bytes, git_filemode_t mode) {
  git_index_entry entry{};
  entry.path = path.c_str();
  entry.mode = static_cast<std::uint32_t>(mode);
  if (mode == GIT_FILEMODE_COMMIT) {
    need(git_oid_fromstr(&entry.id, bytes.c_str()));
  } else {
    need(git_blob_create_from_buffer(&entry.id, repository, bytes.data(), bytes.size()));
  }
  need(git_index_add(index, &entry));
}

}  // namespace

WrittenRepository::WrittenRepository() {
  git_libgit2_init();
  need(git_repository_init(&repository_, path().c_str(), 1));
}

WrittenRepository::~WrittenRepository() {
  git_repository_free(repository_);
  git_libgit2_shutdown();
}

std::string WrittenRepository::commit(const Files& files, const Extras& extras, const std::string& branch) {
  git_index* raw_index = nullptr;
  need(git_index_new(&raw_index));
  const std::unique_ptr<git_index, void (*)(git_index*)> index(raw_index, git_index_free);
  for (const auto& [path, text] : files) add(repository_, index.get(), path, text, GIT_FILEMODE_BLOB);
  for (const auto& [path, target] : extras.links) add(repository_, index.get(), path, target, GIT_FILEMODE_LINK);
  for (const std::string& path : extras.submodules)
    add(repository_, index.get(), path, "0123456789012345678901234567890123456789", GIT_FILEMODE_COMMIT);
  git_oid tree_id{};
  need(git_index_write_tree_to(&tree_id, index.get(), repository_));
  git_tree* raw_tree = nullptr;
  need(git_tree_lookup(&raw_tree, repository_, &tree_id));
  const std::unique_ptr<git_tree, void (*)(git_tree*)> tree(raw_tree, git_tree_free);

  git_signature* raw_author = nullptr;
  need(git_signature_new(&raw_author, "Ada Tester", "ada@example.com", 1'700'000'000, 0));
  const std::unique_ptr<git_signature, void (*)(git_signature*)> author(raw_author, git_signature_free);

  const std::string reference = "refs/heads/" + branch;
  git_oid parent_id{};
  git_commit* raw_parent = nullptr;
  if (git_reference_name_to_id(&parent_id, repository_, reference.c_str()) == 0)
    need(git_commit_lookup(&raw_parent, repository_, &parent_id));
  const std::unique_ptr<git_commit, void (*)(git_commit*)> parent(raw_parent, git_commit_free);
  const git_commit* parents[] = {parent.get()};
  git_oid id{};
  need(git_commit_create(&id, repository_, reference.c_str(), author.get(), author.get(), nullptr, "A change", tree.get(), parent ? 1 : 0,
                         parents));
  return hex_of(id);
}

void WrittenRepository::force(const std::string& commit, const std::string& branch) {
  git_oid id{};
  need(git_oid_fromstr(&id, commit.c_str()));
  git_reference* made = nullptr;
  need(git_reference_create(&made, repository_, ("refs/heads/" + branch).c_str(), &id, 1, nullptr));
  git_reference_free(made);
}

void WrittenRepository::drop_branch(const std::string& branch) {
  need(git_reference_remove(repository_, ("refs/heads/" + branch).c_str()));
}

}  // namespace keyturn::git
