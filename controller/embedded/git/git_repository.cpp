#include "controller/embedded/git/git_repository.h"

#include <fcntl.h>
#include <git2.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/net/tls.h"
#include "base/secret.h"
#include "controller/embedded/git/git_tls.h"

namespace keyturn::git {
namespace {

template <class T, void (*release)(T*)>
struct Releaser {
  void operator()(T* one) const noexcept { release(one); }
};
template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, Releaser<T, release>>;

using Repository = Owned<git_repository, git_repository_free>;
using Remote = Owned<git_remote, git_remote_free>;
using Reference = Owned<git_reference, git_reference_free>;
using Object = Owned<git_object, git_object_free>;
using Commit = Owned<git_commit, git_commit_free>;
using Tree = Owned<git_tree, git_tree_free>;
using Entry = Owned<git_tree_entry, git_tree_entry_free>;
using Database = Owned<git_odb, git_odb_free>;
using Blob = Owned<git_blob, git_blob_free>;

// Calls f(T**) and owns what it made. The code is what the call returned.
template <class Handle, class F>
int make(Handle& out, F f) {
  typename Handle::pointer raw = nullptr;
  const int code = f(&raw);
  out.reset(raw);
  return code;
}

// libgit2's own texts are dropped: they name paths and addresses.
Error failure(int code, const char* otherwise) {
  const git_error* last = git_error_last();
  const int kind = last == nullptr ? GIT_ERROR_NONE : last->klass;
  if (code == GIT_EOWNER) return {Errc::Denied, "the repository belongs to another user of this host"};
  if (code == GIT_EAUTH) return {Errc::Denied, "the Git server refuses the login"};
  if (code == GIT_ECERTIFICATE) return {Errc::Denied, "the Git server's certificate is not trusted"};
  if (code == GIT_EUSER) return {Errc::Unavailable, "fetching took too long or brought too much"};
  if (kind == GIT_ERROR_NET || kind == GIT_ERROR_SSL) return {Errc::Unavailable, "the Git server cannot be reached"};
  if (kind == GIT_ERROR_HTTP) return {Errc::Unavailable, "the Git server does not serve this repository"};
  return {Errc::Unavailable, otherwise};
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return out;
}

// What the callbacks of a fetch need.
struct Fetch {
  const GitLocation& location;
  const Context& context;
  bool asked_for_login = false;
};

// The file's first line. Errors: Denied.
Result<Secret> read_token(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error{Errc::Denied, "the token file cannot be read"};
  constexpr std::size_t token_bytes_max = 4096;
  SecretBuffer buffer;
  const std::span<char> room = buffer.prepare(token_bytes_max);
  const ssize_t bytes = ::read(file, room.data(), room.size());
  ::close(file);
  if (bytes <= 0) return Error{Errc::Denied, "the token file cannot be read"};
  const std::string_view text(room.data(), static_cast<std::size_t>(bytes));
  buffer.commit(std::min(text.find_first_of("\r\n"), text.size()));
  return std::move(buffer).finish();
}

// libgit2 wants a C string and keeps a copy of its own until the connection closes; ours is wiped here.
int give_login(git_credential** out, const char*, const char*, unsigned int allowed, void* payload) {
  auto& fetch = *static_cast<Fetch*>(payload);
  const bool possible = !fetch.location.token_file.empty() && (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0;
  // Asked a second time, the first answer was wrong.
  if (!possible || std::exchange(fetch.asked_for_login, true)) return GIT_EAUTH;
  const auto token = read_token(fetch.location.token_file);
  if (!token) return GIT_EAUTH;
  SecretBuffer terminated(token->size() + 1);
  terminated.append(*token).push_back('\0');
  const Secret text = std::move(terminated).finish();
  const std::string user = fetch.location.username.empty() ? "git" : fetch.location.username;
  return text.expose([&](std::string_view bytes) { return git_credential_userpass_plaintext_new(out, user.c_str(), bytes.data()); });
}

int watch_progress(const git_indexer_progress* progress, void* payload) {
  const auto& fetch = *static_cast<const Fetch*>(payload);
  return fetch.context.expired() || progress->received_bytes > GitRepository::fetch_bytes_max ? GIT_EUSER : 0;
}

std::string mirrored_name(const std::string& branch) { return "refs/keyturn/" + branch; }

Result<Repository> open_local(const std::string& path) {
  Repository repository;
  const int code = make(
      repository, [&](git_repository** out) { return git_repository_open_ext(out, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr); });
  if (code == GIT_ENOTFOUND) return Error{Errc::NotFound, "there is no Git repository at this place"};
  if (code != 0) return failure(code, "the repository cannot be opened");
  return repository;
}

// The mirror holds nothing that the server does not have, so a broken one is simply made anew.
Result<Repository> open_mirror(const std::string& directory) {
  if (directory.empty()) return Error{Errc::Invalid, "a remote repository needs a directory for its mirror"};
  Repository repository;
  const auto open = [&] {
    return make(repository, [&](git_repository** out) {
      return git_repository_open_ext(out, directory.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, nullptr);
    });
  };
  if (open() == 0) return repository;
  std::error_code ignored;  // whatever is in the way shows when the new one is made
  std::filesystem::remove_all(directory, ignored);
  const int made = make(repository, [&](git_repository** out) { return git_repository_init(out, directory.c_str(), 1); });
  if (made != 0) return failure(made, "the mirror of the repository cannot be made");
  return repository;
}

Result<std::shared_ptr<boost::asio::ssl::context>> trust_of(const GitLocation& location) {
  net::TlsTrust trust;
  if (!location.ca_file.empty()) {
    std::ifstream in(location.ca_file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    trust.ca_pem = text.str();
    if (!in || trust.ca_pem.empty()) return Error{Errc::Invalid, "the file of certificate authorities cannot be read"};
  }
  return net::client_context(trust);
}

bool has_branch(git_remote* remote, const std::string& branch) {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (git_remote_ls(&heads, &count, remote) != 0) return false;
  return std::any_of(heads, heads + count, [&](const git_remote_head* head) { return head->name == "refs/heads/" + branch; });
}

Result<> fetch(git_repository* repository, const GitLocation& location, const Context& context) {
  const auto trust = trust_of(location);
  if (!trust) return trust.error();
  const GitTlsScope scope(*trust, context);
  Remote remote;
  int code = make(remote, [&](git_remote** out) { return git_remote_create_anonymous(out, repository, location.url.c_str()); });
  if (code != 0) return failure(code, "the repository's address is not valid");

  Fetch state{location, context};
  git_fetch_options options{};
  git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
  options.callbacks.payload = &state;
  options.callbacks.credentials = give_login;
  options.callbacks.transfer_progress = watch_progress;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;  // a login must not follow to wherever the server points
  std::string refspec = "+refs/heads/" + location.branch + ":" + mirrored_name(location.branch);
  char* refspecs[] = {refspec.data()};
  const git_strarray wanted{refspecs, 1};
  code = git_remote_fetch(remote.get(), &wanted, &options, nullptr);
  if (code != 0) return failure(code, "the repository cannot be fetched");
  // A branch that is gone is not an error of the fetch, and the mirror still has its last state.
  if (!has_branch(remote.get(), location.branch)) return Error{Errc::NotFound, "the branch does not exist"};
  return ok();
}

// Walks through the folders of one commit.
class Walk {
 public:
  Walk(git_repository* repository, git_odb* database, const Context& context, const Limits& limits)
      : repository_(repository), database_(database), context_(context), limits_(limits) {}

  Result<> folder(git_tree* tree, const std::string& prefix, int depth) {
    if (depth > GitRepository::depth_max) return Error{Errc::Invalid, "the folders of the branch are nested too deeply"};
    if (context_.expired()) return Error{Errc::Unavailable, "reading the branch took too long"};
    for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
      if (++entries_ > GitRepository::entries_max) return Error{Errc::Invalid, "the branch holds too many files"};
      if (auto done = entry(git_tree_entry_byindex(tree, i), prefix, depth); !done) return done;
    }
    return ok();
  }

  Manifests take() { return std::move(found_); }

 private:
  Result<> entry(const git_tree_entry* one, const std::string& prefix, int depth) {
    const std::string name = git_tree_entry_name(one);
    if (name.starts_with('.')) return ok();  // .github and its like are not ours
    const git_filemode_t mode = git_tree_entry_filemode(one);
    if (mode == GIT_FILEMODE_TREE) {
      Tree below;
      const int code = make(below, [&](git_tree** out) { return git_tree_lookup(out, repository_, git_tree_entry_id(one)); });
      if (code != 0) return failure(code, "a folder of the branch cannot be read");
      return folder(below.get(), prefix + name + "/", depth + 1);
    }
    // Neither a symbolic link nor a submodule: both point to where this repository has no say.
    const bool is_file = mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
    if (!is_file || !is_manifest_name(name)) return ok();
    if (++files_ > limits_.files_max) return Error{Errc::Invalid, "the branch holds too many manifests"};
    return file(git_tree_entry_id(one), printable(prefix + name));
  }

  Result<> file(const git_oid* id, const std::string& path) {
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    int code = git_odb_read_header(&size, &type, database_, id);  // the size, before anything of it is in memory
    if (code != 0) return failure(code, "a file of the branch cannot be read");
    if (size > limits_.file_bytes_max) {
      found_.problems.push_back(path + ": is larger than " + std::to_string(limits_.file_bytes_max) + " bytes");
      return ok();
    }
    Blob blob;
    code = make(blob, [&](git_blob** out) { return git_blob_lookup(out, repository_, id); });
    if (code != 0) return failure(code, "a file of the branch cannot be read");
    const std::string_view text(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                                static_cast<std::size_t>(git_blob_rawsize(blob.get())));
    read_manifests(path, text, found_);
    return ok();
  }

  git_repository* repository_;
  git_odb* database_;
  const Context& context_;
  const Limits& limits_;
  Manifests found_;
  std::size_t files_ = 0;
  std::size_t entries_ = 0;
};

std::string trimmed(const std::string& path) {
  const std::size_t begin = path.find_first_not_of("/");
  if (begin == std::string::npos || path == ".") return {};
  return path.substr(begin, path.find_last_not_of("/") - begin + 1);
}

Result<Tree> folder_of(git_repository* repository, git_commit* commit, const std::string& path) {
  Tree root;
  int code = make(root, [&](git_tree** out) { return git_commit_tree(out, commit); });
  if (code != 0) return failure(code, "the commit cannot be read");
  const std::string place = trimmed(path);
  if (place.empty()) return root;
  Entry entry;
  code = make(entry, [&](git_tree_entry** out) { return git_tree_entry_bypath(out, root.get(), place.c_str()); });
  if (code != 0 || git_tree_entry_filemode(entry.get()) != GIT_FILEMODE_TREE)
    return Error{Errc::NotFound, "the folder does not exist on the branch"};
  Tree tree;
  code = make(tree, [&](git_tree** out) { return git_tree_lookup(out, repository, git_tree_entry_id(entry.get())); });
  if (code != 0) return failure(code, "the folder cannot be read");
  return tree;
}

Result<Commit> head_of(git_repository* repository, const std::string& reference_name) {
  Reference reference;
  int code = make(reference, [&](git_reference** out) { return git_reference_lookup(out, repository, reference_name.c_str()); });
  if (code == GIT_ENOTFOUND) return Error{Errc::NotFound, "the branch does not exist"};
  if (code != 0) return failure(code, "the branch cannot be read");
  Object object;
  code = make(object, [&](git_object** out) { return git_reference_peel(out, reference.get(), GIT_OBJECT_COMMIT); });
  if (code != 0) return failure(code, "the branch does not lead to a commit");
  Commit commit(reinterpret_cast<git_commit*>(object.release()));
  return commit;
}

std::string author_of(const git_commit* commit) {
  const git_signature* author = git_commit_author(commit);
  return printable(std::string(author->name) + " <" + author->email + ">");
}

bool descends_from(git_repository* repository, const git_oid* head, const std::string& known) {
  git_oid before{};
  return git_oid_fromstr(&before, known.c_str()) == 0 && git_graph_descendant_of(repository, head, &before) == 1;
}

}  // namespace

// libgit2 counts its users.
GitRepository::GitRepository(GitLocation location, Limits limits) : location_(std::move(location)), limits_(limits) { git_libgit2_init(); }
GitRepository::~GitRepository() { git_libgit2_shutdown(); }

Result<> GitRepository::check() const {
  const std::string& url = location_.url;
  if (!is_remote() && !url.starts_with("file:///") && !url.starts_with("/"))
    return Error{Errc::Invalid, "a repository is named by https://, file:/// or an absolute path"};
  const std::size_t host_end = std::min(url.find('/', std::string_view("https://").size()), url.size());
  if (is_remote() && url.substr(0, host_end).find('@') != std::string::npos)
    return Error{Errc::Invalid, "a login does not belong into the repository's address: put the token into a file"};
  int valid = 0;
  const std::string name = "refs/heads/" + location_.branch;
  if (git_reference_name_is_valid(&valid, name.c_str()) != 0 || valid != 1)
    return Error{Errc::Invalid, "the branch has an impossible name"};
  return ok();
}

std::string GitRepository::local_path() const {
  static constexpr std::string_view scheme = "file://";
  return location_.url.starts_with(scheme) ? location_.url.substr(scheme.size()) : location_.url;
}

Result<std::optional<GitSnapshot>> GitRepository::read(const std::string& known, Context context) const {
  if (auto sound = check(); !sound) return sound.error();
  auto repository = is_remote() ? open_mirror(location_.cache) : open_local(local_path());
  if (!repository) return repository.error();
  if (is_remote()) {
    if (auto fetched = fetch(repository->get(), location_, context); !fetched) return fetched.error();
  }
  auto commit = head_of(repository->get(), is_remote() ? mirrored_name(location_.branch) : "refs/heads/" + location_.branch);
  if (!commit) return commit.error();

  const git_oid* id = git_commit_id(commit->get());
  std::array<char, GIT_OID_HEXSZ + 1> hex{};
  git_oid_tostr(hex.data(), hex.size(), id);
  if (known == hex.data()) return std::optional<GitSnapshot>();

  auto tree = folder_of(repository->get(), commit->get(), location_.folder);
  if (!tree) return tree.error();
  Database database;
  const int code = git::make(database, [&](git_odb** out) { return git_repository_odb(out, repository->get()); });
  if (code != 0) return failure(code, "the repository cannot be read");
  Walk walk(repository->get(), database.get(), context, limits_);
  if (auto walked = walk.folder(tree->get(), trimmed(location_.folder).empty() ? "" : trimmed(location_.folder) + "/", 0); !walked)
    return walked.error();
  Manifests manifests = walk.take();
  drop_duplicates(manifests);
  const char* subject = git_commit_summary(commit->get());
  GitSnapshot snapshot;
  snapshot.commit = hex.data();
  snapshot.author = author_of(commit->get());
  snapshot.subject = printable(subject == nullptr ? "" : subject);
  snapshot.objects = std::move(manifests.objects);
  snapshot.problems = std::move(manifests.problems);
  snapshot.rewritten = !known.empty() && !descends_from(repository->get(), id, known);
  return std::optional<GitSnapshot>(std::move(snapshot));
}

}  // namespace keyturn::git
