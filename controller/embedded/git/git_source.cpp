#include "controller/embedded/git/git_source.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/log.h"

namespace keyturn::git {
namespace {

constexpr Duration look_time_max = std::chrono::minutes(2);

// On a thread of the pool; owns all it uses.
struct ReadBranch {
  std::shared_ptr<const GitRepository> repository;
  std::string known;
  Context context;
  Result<std::optional<GitSnapshot>> operator()() { return repository->read(known, context); }
};

GitLocation location_of(const GitSourceOptions& options) {
  return {options.url, options.branch, options.folder, options.cache, options.ca_file, options.username, options.token_file};
}

// What others refer to comes first, so that a new branch is applied in one go.
constexpr std::size_t ranks = 3;
std::size_t rank_of(const GitObject& object) {
  const std::string kind = identity_of(object.body).kind;
  if (kind == "Namespace") return 0;
  return kind == "RotationEnvironment" ? 1 : 2;
}

std::vector<GitObject> in_order_of_rank(std::vector<GitObject> objects) {
  std::array<std::vector<GitObject>, ranks> by_rank;
  for (GitObject& object : objects) by_rank[rank_of(object)].push_back(std::move(object));
  std::vector<GitObject> ordered;
  for (std::vector<GitObject>& some : by_rank) std::move(some.begin(), some.end(), std::back_inserter(ordered));
  return ordered;
}

}  // namespace

GitSource::GitSource(boost::asio::any_io_executor executor, Clock& clock, BlockingPool& pool, ObjectSink& sink, GitSourceOptions options,
                     OnSnapshot on_snapshot)
    : clock_(clock),
      pool_(pool),
      sink_(sink),
      options_(std::move(options)),
      on_snapshot_(std::move(on_snapshot)),
      repository_(std::make_shared<const GitRepository>(location_of(options_), options_.limits)),
      tasks_(std::move(executor)) {}

void GitSource::start() {
  tasks_.spawn("git", [this] { return follow(); });
}

Awaitable<> GitSource::follow() {
  for (;;) {
    const std::string before = status_.applied;
    const std::vector<std::string> known_problems = status_.problems;
    const auto looked = co_await look(Context(clock_, "git"));
    static_cast<void>(looked);  // told by its problem
    if (status_.applied != before) log::info("applied a commit", {{"commit", status_.applied}, {"author", status_.author}});
    if (status_.problems != known_problems)
      for (const std::string& problem : status_.problems)
        log::warn("the Git branch has a problem", {{"branch", options_.branch}, {"problem", problem}});
    co_await clock_.sleep_for(options_.interval);
  }
}

Task<> GitSource::look(Context context) {
  const Context bounded = context.with_timeout(look_time_max);
  ReadBranch work{repository_, status_.seen, bounded};
  auto read = co_await pool_.run(std::move(work));
  status_.checked_at = clock_.now();
  status_.problems.clear();
  if (!read) {
    tell(read.error().message);
    co_return read.error();
  }
  if (*read) take(**std::move(read));
  for (const std::string& problem : snapshot_problems_) tell(problem);
  co_await apply_pending(bounded);
  const bool whole = pending_.empty() && snapshot_problems_.empty();
  if (whole) co_await prune_vanished(bounded);
  if (whole) status_.applied = status_.seen;
  co_return ok();
}

void GitSource::take(GitSnapshot snapshot) {
  if (on_snapshot_) on_snapshot_(snapshot);
  status_.seen = snapshot.commit;
  status_.author = snapshot.author;
  status_.objects = snapshot.objects.size();
  snapshot_problems_ = std::move(snapshot.problems);
  Known before = std::move(present_);
  before.merge(vanished_);
  present_.clear();
  for (const GitObject& object : snapshot.objects) {
    const ObjectIdentity identity = identity_of(object.body);
    present_.emplace(identity.kind, identity.key);
  }
  vanished_.clear();
  if (snapshot.rewritten) {
    log::warn("the Git branch was moved by force: what it no longer holds is left alone", {{"commit", status_.seen}});
  } else {
    std::set_difference(before.begin(), before.end(), present_.begin(), present_.end(), std::inserter(vanished_, vanished_.end()));
  }
  pending_ = in_order_of_rank(std::move(snapshot.objects));
}

Awaitable<> GitSource::apply_pending(Context context) {
  std::vector<GitObject> refused;
  for (GitObject& object : pending_) {
    const auto applied = co_await sink_.apply(context, object.body);
    if (applied) continue;
    tell(object.path + ": " + title_of(object.body) + ": " + applied.error().message);
    refused.push_back(std::move(object));
  }
  pending_ = std::move(refused);
}

// Called only with a whole picture: what could not be read or applied might be what is missing.
Awaitable<> GitSource::prune_vanished(Context context) {
  if (!options_.prune || vanished_.empty()) co_return;
  if (present_.empty()) {
    tell("nothing is left on the branch: an empty branch is not pruned");
    co_return;
  }
  Known left;
  for (const auto& [kind, key] : vanished_) {
    const auto removed = co_await sink_.remove(context, kind, key);
    if (removed || removed.error().code == Errc::NotFound) continue;
    tell("pruning " + kind + " " + key.to_string() + ": " + removed.error().message);
    left.emplace(kind, key);
  }
  vanished_ = std::move(left);
}

void GitSource::tell(std::string problem) {
  if (status_.problems.size() < problems_max) status_.problems.push_back(std::move(problem));
}

}  // namespace keyturn::git
