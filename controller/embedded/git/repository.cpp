#include "controller/embedded/git/repository.h"

#include <git2.h>

#include <filesystem>
#include <memory>

namespace keyturn::git {
namespace {

// libgit2 counts its users; one stays for the life of the process.
void ensure_library() {
  static const int users = git_libgit2_init();
  (void)users;
}

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* one) const { release(one); }
};
template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, Release<T, release>>;

using RepositoryPtr = Owned<git_repository, git_repository_free>;
using RemotePtr = Owned<git_remote, git_remote_free>;
using CommitPtr = Owned<git_commit, git_commit_free>;
using TreePtr = Owned<git_tree, git_tree_free>;
using BlobPtr = Owned<git_blob, git_blob_free>;
using EntryPtr = Owned<git_tree_entry, git_tree_entry_free>;

constexpr const char* followed = "refs/keyturn/followed";

// libgit2's text names paths and hosts, which are the user's own; it holds no credentials, because none are ever given to it.
Error library_error(Errc code, std::string_view what) {
  const git_error* last = git_error_last();
  return {code, std::string(what) + (last && last->message ? ": " + std::string(last->message) : std::string{})};
}

Result<RepositoryPtr> open_cache(const std::string& cache) {
  ensure_library();
  git_repository* opened = nullptr;
  if (git_repository_open_bare(&opened, cache.c_str()) == 0) return RepositoryPtr(opened);
  if (git_repository_init(&opened, cache.c_str(), 1) != 0) return library_error(Errc::Unavailable, "the mirror cannot be made");
  return RepositoryPtr(opened);
}

bool is_manifest(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"); }

// Collects one folder's files into a Tree; libgit2 calls it back for each entry.
struct Walk {
  git_repository* repository;
  std::string folder;
  Limits limits;
  Tree* out;

  static int visit(const char* root, const git_tree_entry* entry, void* payload) {
    return static_cast<Walk*>(payload)->entry(root, entry);
  }

  int entry(std::string_view root, const git_tree_entry* entry) {
    const std::string path = folder + std::string(root) + git_tree_entry_name(entry);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_TREE) return 0;
    if (!is_manifest(path)) return 0;
    if (mode == GIT_FILEMODE_LINK || mode == GIT_FILEMODE_COMMIT) {
      out->problems.push_back(path + ": links and submodules are not followed");
      return 0;
    }
    if (out->files.size() >= limits.files_max) {
      out->problems.push_back("more than " + std::to_string(limits.files_max) + " manifests: the rest is left out");
      return -1;
    }
    git_blob* raw = nullptr;
    if (git_blob_lookup(&raw, repository, git_tree_entry_id(entry)) != 0) {
      out->problems.push_back(path + ": cannot be read");
      return 0;
    }
    const BlobPtr blob(raw);
    const auto size = static_cast<std::size_t>(git_blob_rawsize(raw));
    if (size > limits.file_bytes_max) {
      out->problems.push_back(path + ": larger than " + std::to_string(limits.file_bytes_max) + " bytes");
      return 0;
    }
    out->files.push_back({path, std::string(static_cast<const char*>(git_blob_rawcontent(raw)), size)});
    return 0;
  }
};

std::string without_slashes(std::string folder) {
  while (!folder.empty() && folder.front() == '/') folder.erase(0, 1);
  while (!folder.empty() && folder.back() == '/') folder.pop_back();
  return folder;
}

Result<TreePtr> folder_tree(git_repository* repository, git_commit* commit, const std::string& folder) {
  git_tree* root = nullptr;
  if (git_commit_tree(&root, commit) != 0) return library_error(Errc::Invalid, "the commit has no tree");
  TreePtr tree(root);
  if (folder.empty()) return tree;
  git_tree_entry* found = nullptr;
  if (git_tree_entry_bypath(&found, root, folder.c_str()) != 0) return Error{Errc::Invalid, "the branch has no folder " + folder};
  const EntryPtr entry(found);
  git_tree* below = nullptr;
  if (git_tree_lookup(&below, repository, git_tree_entry_id(found)) != 0) return Error{Errc::Invalid, folder + " is not a folder"};
  return TreePtr(below);
}

}  // namespace

Repository::Repository(std::string url, std::string branch, std::string cache)
    : url_(std::move(url)), branch_(std::move(branch)), cache_(std::move(cache)) {}

Result<std::string> Repository::head() const {
  auto repository = open_cache(cache_);
  if (!repository) return repository.error();
  git_remote* raw = nullptr;
  if (git_remote_create_anonymous(&raw, repository->get(), url_.c_str()) != 0) return library_error(Errc::Invalid, "not a repository's address");
  const RemotePtr remote(raw);
  std::string refspec = "+refs/heads/" + branch_ + ":" + followed;
  char* one = refspec.data();
  const git_strarray refspecs{&one, 1};
  git_fetch_options options;
  git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  // A branch that vanished leaves the reference as it was: ask for it anew each time.
  git_reference_remove(repository->get(), followed);
  if (git_remote_fetch(raw, &refspecs, &options, nullptr) != 0) return library_error(Errc::Unavailable, "the repository cannot be fetched");
  git_oid id;
  if (git_reference_name_to_id(&id, repository->get(), followed) != 0) return Error{Errc::Invalid, "the repository has no branch " + branch_};
  char hex[GIT_OID_HEXSZ + 1];
  return std::string(git_oid_tostr(hex, sizeof hex, &id));
}

Result<Tree> Repository::read(const std::string& commit_id, const std::string& folder, Limits limits) const {
  auto repository = open_cache(cache_);
  if (!repository) return repository.error();
  git_oid id;
  git_commit* raw = nullptr;
  if (git_oid_fromstr(&id, commit_id.c_str()) != 0 || git_commit_lookup(&raw, repository->get(), &id) != 0) {
    return library_error(Errc::NotFound, "the commit cannot be read");
  }
  const CommitPtr commit(raw);
  const std::string below = without_slashes(folder);
  auto tree = folder_tree(repository->get(), raw, below);
  if (!tree) return tree.error();
  const git_signature* author = git_commit_author(raw);
  const char* subject = git_commit_summary(raw);
  Tree out{.commit = commit_id, .author = author && author->name ? author->name : "", .subject = subject ? subject : "", .files = {}, .problems = {}};
  Walk walk{repository->get(), below.empty() ? std::string{} : below + "/", limits, &out};
  git_tree_walk(tree->get(), GIT_TREEWALK_PRE, &Walk::visit, &walk);
  return out;
}

}  // namespace keyturn::git
