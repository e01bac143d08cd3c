// Follows a branch and applies what it finds: a commit rotates, a `git revert` rolls back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/context.h"
#include "base/id.h"
#include "base/task_group.h"
#include "controller/embedded/git/repository.h"

namespace keyturn::git {

// Where the objects go. `apply` is create-or-update under one field manager; `remove` is asked only with pruning on.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  virtual Task<> apply(Context context, boost::json::object object) = 0;
  virtual Task<> remove(Context context, std::string kind, ObjectKey key) = 0;
};

struct GitSourceOptions {
  std::string url;
  std::string branch = "main";
  std::string folder;  // of the manifests; empty = the whole tree
  std::string cache;   // folder of our own for the mirror
  Duration interval{60'000};
  bool prune = false;  // delete what left the branch; only what this process saw there
  Limits limits;
};

struct GitSourceStatus {
  std::string seen;     // commit the branch points to
  std::string applied;  // last commit of which every object was accepted
  std::vector<std::string> problems;
};

class GitSource {
 public:
  // All outlive it.
  GitSource(boost::asio::any_io_executor executor, Clock& clock, BlockingPool& pool, ObjectSink& sink, GitSourceOptions options);

  void start();
  Awaitable<std::size_t> stop(Duration grace) { return tasks_.stop(clock_, grace); }
  const GitSourceStatus& status() const noexcept { return status_; }

  // One look: fetches, and applies when the branch moved or something was refused before. What is broken is named in status().problems
  // and does not keep the rest from being applied. Errors: those of Repository::head.
  Task<> look(Context context);

 private:
  Awaitable<> follow();
  Awaitable<> apply_all(Context context, std::vector<boost::json::object> objects);
  Awaitable<> prune_vanished(Context context, const std::set<std::pair<std::string, ObjectKey>>& present);

  Clock& clock_;
  BlockingPool& pool_;
  ObjectSink& sink_;
  GitSourceOptions options_;
  GitSourceStatus status_;
  std::set<std::pair<std::string, ObjectKey>> present_;  // kind and key of what the branch held last
  TaskGroup tasks_;
};

// The objects of the files of a tree; what cannot be read becomes a problem. Pure.
std::vector<boost::json::object> objects_of(const Tree& tree, std::vector<std::string>& problems);

}  // namespace keyturn::git
