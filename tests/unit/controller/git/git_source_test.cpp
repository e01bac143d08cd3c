#include "controller/embedded/git/git_source.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "tests/support/run_loop.h"
#include "tests/unit/controller/git/written_repository.h"

namespace keyturn::git {
namespace {

std::string object(const std::string& name, const std::string& kind = "SecretRotation", const std::string& revision = "r1") {
  return "apiVersion: keyturn.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {revision: " + revision + "}\n";
}

// An API that keeps what it is given.
class KeepingSink final : public ObjectSink {
 public:
  Task<> apply(Context, boost::json::object body) override {
    const ObjectIdentity identity = identity_of(body);
    const std::string name = identity.key.name;
    attempts.push_back(name);
    if (identity.kind == "Unknown") co_return Error{Errc::Invalid, "the kind is not known"};
    if (refused.contains(name)) co_return Error{Errc::Conflict, refused[name]};
    held[name] = std::string(body.at("spec").at("revision").as_string());
    co_return ok();
  }
  Task<> remove(Context, std::string kind, ObjectKey key) override {
    removals.push_back(kind + " " + key.to_string());
    if (remove_fails) co_return Error{Errc::Unavailable, "the store is read-only"};
    if (held.erase(key.name) == 0) co_return Error{Errc::NotFound, "no such object"};
    co_return ok();
  }

  std::map<std::string, std::string> held;
  std::map<std::string, std::string> refused;
  std::vector<std::string> attempts;
  std::vector<std::string> removals;
  bool remove_fails = false;
};

class GitSourceTest : public testing::Test {
 protected:
  void follow(bool prune = false) {
    GitSourceOptions options;
    options.url = written_.path();
    options.prune = prune;
    source_ = std::make_unique<GitSource>(io_.get_executor(), clock_, pool_, sink_, options,
                                          [this](const GitSnapshot& one) { seen_.push_back(one.commit); });
  }
  bool poll() { return run(io_, source_->look(Context(clock_, "test"))).has_value(); }
  const GitSourceStatus& status() const { return source_->status(); }
  using Held = std::map<std::string, std::string>;
  using Problems = std::vector<std::string>;

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  BlockingPool pool_{1};
  WrittenRepository written_;
  KeepingSink sink_;
  std::vector<std::string> seen_;
  std::unique_ptr<GitSource> source_;
};

TEST_F(GitSourceTest, AppliesANewHeadOnce) {
  follow();
  const std::string first = written_.commit({{"a.yaml", object("a") + "---\n" + object("b")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}, {"b", "r1"}}));
  EXPECT_EQ(status().seen, first);
  EXPECT_EQ(status().applied, first);
  EXPECT_EQ(status().author, "Ada Tester <ada@example.com>");
  EXPECT_EQ(status().objects, 2u);
  EXPECT_TRUE(status().checked_at);
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.attempts.size(), 2u);
  EXPECT_EQ(seen_, std::vector<std::string>{first});
}

TEST_F(GitSourceTest, FollowsCommitsAndReverts) {
  follow();
  written_.commit({{"a.yaml", object("a", "SecretRotation", "r1")}});
  EXPECT_TRUE(poll());
  written_.commit({{"a.yaml", object("a", "SecretRotation", "r2")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held["a"], "r2");
  written_.commit({{"a.yaml", object("a", "SecretRotation", "r1")}});  // what `git revert` makes
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held["a"], "r1");
}

TEST_F(GitSourceTest, AppliesWhatOthersReferToFirst) {
  follow();
  written_.commit(
      {{"a.yaml", object("rotation")}, {"b.yaml", object("environment", "RotationEnvironment")}, {"c.yaml", object("space", "Namespace")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.attempts, (std::vector<std::string>{"space", "environment", "rotation"}));
}

TEST_F(GitSourceTest, OneBadObjectKeepsNothingElseBack) {
  follow();
  const std::string head = written_.commit({{"a.yaml", "kind: [broken\n"}, {"b.yaml", object("b", "Unknown")}, {"c.yaml", object("c")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held, (Held{{"c", "r1"}}));
  EXPECT_EQ(status().seen, head);
  EXPECT_EQ(status().applied, "");
  ASSERT_EQ(status().problems.size(), 2u);
  EXPECT_TRUE(status().problems[0].starts_with("a.yaml: ")) << status().problems[0];
  EXPECT_EQ(status().problems[1], "b.yaml: Unknown b: the kind is not known");
  // The same problems at the next look, and only what failed is tried again.
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().problems.size(), 2u);
  EXPECT_EQ(sink_.attempts, (std::vector<std::string>{"b", "c", "b"}));

  const std::string fixed = written_.commit({{"c.yaml", object("c")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().applied, fixed);
  EXPECT_TRUE(status().problems.empty());
}

TEST_F(GitSourceTest, TriesAgainWhatFailed) {
  follow();
  const std::string head = written_.commit({{"a.yaml", object("a")}});
  sink_.refused["a"] = "another manager owns .spec.revision";
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().problems, Problems{"a.yaml: SecretRotation a: another manager owns .spec.revision"});
  sink_.refused.clear();
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().applied, head);
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}}));
}

TEST_F(GitSourceTest, ABranchOrRepositoryThatIsGoneChangesNothing) {
  follow();
  const std::string head = written_.commit({{"a.yaml", object("a")}});
  EXPECT_TRUE(poll());
  written_.drop_branch();
  EXPECT_FALSE(poll());
  EXPECT_EQ(status().problems, Problems{"the branch does not exist"});
  EXPECT_EQ(status().applied, head);
  std::filesystem::rename(written_.path(), written_.path() + ".away");
  EXPECT_FALSE(poll());
  EXPECT_EQ(status().problems, Problems{"there is no Git repository at this place"});
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}}));
  std::filesystem::rename(written_.path() + ".away", written_.path());
  written_.force(head);
  EXPECT_TRUE(poll());
  EXPECT_TRUE(status().problems.empty());
}

TEST_F(GitSourceTest, AFileThatLeavesTheBranchLeavesItsObjectAlone) {
  follow();
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  written_.commit({{"a.yaml", object("a")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held.size(), 2u);
  EXPECT_TRUE(sink_.removals.empty());
}

TEST_F(GitSourceTest, PrunesOnlyFromAWholePicture) {
  follow(true);
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}, {"c.yaml", object("c")}});
  EXPECT_TRUE(poll());
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", "kind: [broken\n"}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held.size(), 3u);
  sink_.refused["a"] = "no";
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held.size(), 3u);
  sink_.refused.clear();
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}, {"b", "r1"}}));
}

TEST_F(GitSourceTest, NeverPrunesEverything) {
  follow(true);
  written_.commit({{"a.yaml", object("a")}});
  EXPECT_TRUE(poll());
  written_.commit({{"README.md", "empty"}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held.size(), 1u);
  EXPECT_EQ(status().problems, Problems{"nothing is left on the branch: an empty branch is not pruned"});
}

TEST_F(GitSourceTest, AForcedBranchIsAppliedAndNotPruned) {
  follow(true);
  const std::string first = written_.commit({{"a.yaml", object("a", "SecretRotation", "r1")}});
  written_.commit({{"a.yaml", object("a", "SecretRotation", "r2")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  written_.force(first);
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}, {"b", "r1"}}));
  EXPECT_EQ(status().applied, first);
}

TEST_F(GitSourceTest, TriesAgainToPrune) {
  follow(true);
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  sink_.remove_fails = true;
  written_.commit({{"a.yaml", object("a")}});
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().problems, Problems{"pruning SecretRotation b: the store is read-only"});
  sink_.remove_fails = false;
  EXPECT_TRUE(poll());
  EXPECT_TRUE(status().problems.empty());
  EXPECT_EQ(sink_.held, (Held{{"a", "r1"}}));
  EXPECT_TRUE(poll());
  EXPECT_EQ(sink_.removals.size(), 2u);
}

TEST_F(GitSourceTest, WhatSomebodyElseDeletedIsPruned) {
  follow(true);
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  sink_.held.erase("b");
  written_.commit({{"a.yaml", object("a")}});
  EXPECT_TRUE(poll());
  EXPECT_TRUE(status().problems.empty());
}

TEST_F(GitSourceTest, AnObjectThatCameBackIsNotPruned) {
  follow(true);
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  written_.commit({{"a.yaml", object("a")}, {"broken.yaml", "text"}});
  EXPECT_TRUE(poll());
  written_.commit({{"a.yaml", object("a")}, {"b.yaml", object("b")}});
  EXPECT_TRUE(poll());
  EXPECT_TRUE(sink_.removals.empty());
}

TEST_F(GitSourceTest, BoundsTheProblemsItTells) {
  follow();
  WrittenRepository::Files files;
  for (int i = 0; i < 300; ++i) files["f" + std::to_string(i) + ".yaml"] = "text";
  written_.commit(files);
  EXPECT_TRUE(poll());
  EXPECT_EQ(status().problems.size(), GitSource::problems_max);
}

TEST_F(GitSourceTest, LooksUntilItIsStopped) {
  written_.commit({{"a.yaml", object("a")}});
  VirtualClock time(io_.get_executor());
  GitSource source(io_.get_executor(), time, pool_, sink_, {.url = written_.path()});
  source.start();
  run_until(io_, [this] { return sink_.held.contains("a"); });
  written_.commit({{"a.yaml", object("a", "SecretRotation", "r2")}});
  run_until(io_, [&] {
    if (time.until_next()) time.advance_to_next();
    boost::asio::post(io_, [] {});  // so that the loop comes round to look again
    return sink_.held["a"] == "r2";
  });
  auto stopping = start(io_, source.stop(std::chrono::hours(1)));
  run_until(io_, [&] { return stopping.done(); });
  EXPECT_EQ(stopping.take(), 0u);
}

TEST_F(GitSourceTest, AnAddressItCannotFollowIsAProblem) {
  GitSource source(io_.get_executor(), clock_, pool_, sink_, {.url = "ssh://example.com/x"});
  EXPECT_FALSE(run(io_, source.look(Context(clock_, "test"))));
  EXPECT_EQ(source.status().problems, Problems{"a repository is named by https://, file:/// or an absolute path"});
}

}  // namespace
}  // namespace keyturn::git
