// Follows a branch and applies what it finds: a commit rotates, a `git revert` rolls back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/blocking_pool.h"
#include "base/context.h"
#include "base/id.h"
#include "base/task_group.h"
#include "controller/embedded/git/git_repository.h"

namespace keyturn::git {

// Where the objects go. `apply` is create-or-update under one field manager; `remove` is asked only with pruning on. Both idempotent.
// The message of an error says what to change in the manifest, and is shown to people.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  virtual Task<> apply(Context context, boost::json::object object) = 0;
  virtual Task<> remove(Context context, std::string kind, ObjectKey key) = 0;
};

struct GitSourceOptions {
  std::string url;  // https://, file:/// or an absolute path
  std::string branch = "main";
  std::string folder;  // of the manifests; empty = the whole tree
  std::string cache;   // folder of our own for the mirror of a remote repository
  Duration interval{60'000};
  bool prune = false;  // delete what left the branch; only what this process saw there
  Limits limits;
  // For https only; see GitLocation.
  std::string ca_file;
  std::string username;
  std::string token_file;
};

// For people: on the page, in metrics and logs.
struct GitSourceStatus {
  std::string seen;                   // newest commit that was read
  std::string author;                 // of that commit
  std::string applied;                // last commit of which every object was accepted
  std::size_t objects = 0;            // on the branch
  std::optional<Instant> checked_at;  // last look, whatever it found
  std::vector<std::string> problems;  // of that look; empty = the API holds what the branch says
};

// A new commit is applied object by object. What fails is told, tried again at every look, and keeps nothing else from being applied.
// An unreachable repository, a missing branch or a broken file changes nothing in the API. An object whose file left the branch stays,
// unless `prune` is on; and nothing is pruned while anything on the branch is unreadable or refused, when the branch was moved by
// force, or when nothing is left on it.
class GitSource {
 public:
  static constexpr std::size_t problems_max = 100;
  using OnSnapshot = std::function<void(const GitSnapshot&)>;

  // All outlive it. `on_snapshot` is told of each new commit before it is applied; it may be empty.
  GitSource(boost::asio::any_io_executor executor, Clock& clock, BlockingPool& pool, ObjectSink& sink, GitSourceOptions options,
            OnSnapshot on_snapshot = {});

  void start();
  Awaitable<std::size_t> stop(Duration grace) { return tasks_.stop(clock_, grace); }
  const GitSourceStatus& status() const noexcept { return status_; }

  // One look, and what follows from it; never two at once. Errors: those of GitRepository::read. Objects that were refused are no error
  // here, see status().problems.
  Task<> look(Context context);

 private:
  using Known = std::set<std::pair<std::string, ObjectKey>>;  // kind and key

  Awaitable<> follow();
  void take(GitSnapshot snapshot);
  Awaitable<> apply_pending(Context context);
  Awaitable<> prune_vanished(Context context);
  void tell(std::string problem);

  Clock& clock_;
  BlockingPool& pool_;
  ObjectSink& sink_;
  const GitSourceOptions options_;
  const OnSnapshot on_snapshot_;
  const std::shared_ptr<const GitRepository> repository_;

  std::vector<GitObject> pending_;              // of the newest snapshot, not yet accepted
  std::vector<std::string> snapshot_problems_;  // of the newest snapshot
  Known present_;                               // on the branch now
  Known vanished_;                              // were there before, and are still to be pruned
  GitSourceStatus status_;
  TaskGroup tasks_;
};

}  // namespace keyturn::git
