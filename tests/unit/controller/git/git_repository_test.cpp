#include "controller/embedded/git/git_repository.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "tests/unit/controller/git/written_repository.h"

namespace keyturn::git {
namespace {

std::string object(const std::string& name) { return "apiVersion: v1\nkind: A\nmetadata: {name: " + name + "}\n"; }

class GitRepositoryTest : public testing::Test {
 protected:
  Result<std::optional<GitSnapshot>> read(const std::string& known = "", const std::string& path = "", const std::string& branch = "main") {
    const GitRepository repository({.url = written_.path(), .branch = branch, .folder = path}, limits_);
    return repository.read(known, Context(clock_, "test"));
  }
  GitSnapshot snapshot(const std::string& known = "", const std::string& path = "") {
    auto got = read(known, path);
    EXPECT_TRUE(got && *got) << (got ? "nothing new" : got.error().message);
    return got && *got ? **std::move(got) : GitSnapshot{};
  }
  std::vector<std::string> paths(const GitSnapshot& from) {
    std::vector<std::string> out;
    for (const GitObject& one : from.objects) out.push_back(one.path);
    return out;
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  WrittenRepository written_;
  Limits limits_;
};

TEST_F(GitRepositoryTest, ReadsAllManifestsOfTheHead) {
  const std::string head = written_.commit({{"README.md", "text"},
                                            {"a.yaml", object("a")},
                                            {"dev/b.yml", object("b")},
                                            {"dev/deep/c.json", R"({"apiVersion":"v1","kind":"A","metadata":{"name":"c"}})"}});
  const GitSnapshot got = snapshot();
  EXPECT_EQ(got.commit, head);
  EXPECT_EQ(got.author, "Ada Tester <ada@example.com>");
  EXPECT_EQ(paths(got), (std::vector<std::string>{"a.yaml", "dev/b.yml", "dev/deep/c.json"}));
  EXPECT_TRUE(got.problems.empty());
  EXPECT_FALSE(got.rewritten);
}

TEST_F(GitRepositoryTest, TellsOnlyNewHeads) {
  const std::string first = written_.commit({{"a.yaml", object("a")}});
  const auto again = read(first);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  const std::string second = written_.commit({{"a.yaml", object("a2")}});
  EXPECT_EQ(snapshot(first).commit, second);
}

TEST_F(GitRepositoryTest, ReadsOneFolderOfOneBranch) {
  written_.commit({{"a.yaml", object("a")}, {"dev/b.yaml", object("b")}});
  written_.commit({{"dev/c.yaml", object("c")}}, {}, "other");
  EXPECT_EQ(paths(snapshot("", "dev")), std::vector<std::string>{"dev/b.yaml"});
  EXPECT_EQ(paths(snapshot("", "/dev/")), std::vector<std::string>{"dev/b.yaml"});
  EXPECT_EQ(paths(**read("", "dev", "other")), std::vector<std::string>{"dev/c.yaml"});
}

TEST_F(GitRepositoryTest, PassesOverLinksSubmodulesAndHiddenNames) {
  written_.commit({{"a.yaml", object("a")}, {".github/workflow.yaml", object("x")}, {".hidden.yaml", object("y")}},
                  {.links = {{"link.yaml", "/etc/passwd"}, {"folder.yaml", "../outside"}}, .submodules = {"sub.yaml", "module"}});
  EXPECT_EQ(paths(snapshot()), std::vector<std::string>{"a.yaml"});
}

TEST_F(GitRepositoryTest, KnowsABranchThatWasForced) {
  const std::string first = written_.commit({{"a.yaml", object("a")}});
  const std::string second = written_.commit({{"a.yaml", object("b")}});
  EXPECT_FALSE(snapshot(first).rewritten);
  written_.force(first);
  const GitSnapshot back = snapshot(second);
  EXPECT_EQ(back.commit, first);
  EXPECT_TRUE(back.rewritten);
  EXPECT_TRUE(snapshot("0123456789012345678901234567890123456789").rewritten);
  EXPECT_TRUE(snapshot("not a commit").rewritten);
}

TEST_F(GitRepositoryTest, AFileThatIsTooLargeIsAProblemOfItsOwn) {
  written_.commit({{"a.yaml", object("a")}, {"large.yaml", std::string(limits_.file_bytes_max + 1, '#')}});
  const GitSnapshot got = snapshot();
  EXPECT_EQ(paths(got), std::vector<std::string>{"a.yaml"});
  EXPECT_EQ(got.problems, std::vector<std::string>{"large.yaml: is larger than 1048576 bytes"});
}

TEST_F(GitRepositoryTest, TooManyFilesRefuseTheWhole) {
  limits_.files_max = 20;
  WrittenRepository::Files files;
  for (std::size_t i = 0; i <= limits_.files_max; ++i) files["f" + std::to_string(i) + ".yaml"] = "";
  written_.commit(files);
  const auto got = read();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::Invalid);
  EXPECT_EQ(got.error().message, "the branch holds too many manifests");
}

TEST_F(GitRepositoryTest, TooDeepFoldersRefuseTheWhole) {
  std::string path;
  for (int i = 0; i < GitRepository::depth_max + 1; ++i) path += "d/";
  written_.commit({{path + "a.yaml", object("a")}});
  EXPECT_EQ(read().error().code, Errc::Invalid);
}

TEST_F(GitRepositoryTest, SaysWhatIsNotThere) {
  EXPECT_EQ(read().error().message, "the branch does not exist");
  written_.commit({{"a.yaml", object("a")}});
  EXPECT_EQ(read("", "nowhere").error().message, "the folder does not exist on the branch");
  EXPECT_EQ(read("", "a.yaml").error().message, "the folder does not exist on the branch");
  EXPECT_EQ(read("", "", "other").error().message, "the branch does not exist");
  const TemporaryDirectory empty;
  const GitRepository none({.url = empty.path().string()});
  EXPECT_EQ(none.read("", Context(clock_, "test")).error().message, "there is no Git repository at this place");
}

TEST_F(GitRepositoryTest, TakesFileUrls) {
  written_.commit({{"a.yaml", object("a")}});
  const GitRepository repository({.url = "file://" + written_.path()});
  EXPECT_TRUE(repository.read("", Context(clock_, "test")));
}

TEST_F(GitRepositoryTest, EndsWithTheDeadline) {
  written_.commit({{"a.yaml", object("a")}});
  const GitRepository repository({.url = written_.path()});
  EXPECT_EQ(repository.read("", Context(clock_, "test").with_timeout(Duration(0))).error().code, Errc::Unavailable);
}

TEST_F(GitRepositoryTest, IsNamedByAnAddressOfAKnownKindWithoutALogin) {
  const auto code = [this](const std::string& url, const std::string& branch) {
    const auto got = GitRepository({.url = url, .branch = branch}).read("", Context(clock_, "test").with_timeout(Duration(0)));
    return got ? Errc::Internal : got.error().code;
  };
  for (const std::string url : {"http://example.com/x.git", "git://example.com/x", "ssh://git@example.com/x", "git@example.com:x",
                                "relative/path", "file://host/x", "", "https://user:token@example.com/x.git"})
    EXPECT_EQ(code(url, "main"), Errc::Invalid) << url;
  for (const std::string branch : {"", "a b", "a..b", "-/", "a~1", "x/"}) EXPECT_EQ(code(written_.path(), branch), Errc::Invalid) << branch;
}

}  // namespace
}  // namespace keyturn::git
