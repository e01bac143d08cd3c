// Fetching over HTTPS from Git's own server program behind our HTTP server.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <sstream>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/net/http_server.h"
#include "base/net/tls.h"
#include "controller/embedded/git/git_repository.h"
#include "tests/support/child_process.h"
#include "tests/support/run_loop.h"
#include "tests/unit/controller/git/written_repository.h"

namespace keyturn::git {
namespace {

std::string object(const std::string& name) { return "apiVersion: v1\nkind: A\nmetadata: {name: " + name + "}\n"; }

// Runs `git http-backend` as a CGI program for each request (git-scm.com/docs/git-http-backend).
class Backend {
 public:
  explicit Backend(std::string root) : root_(std::move(root)) {}
  std::string wanted_authorization;  // empty = everybody
  bool silent = false;

  Awaitable<> serve(net::HttpRequest request, net::ReplyWriter& writer) {
    ++requests;
    if (silent) {
      writer.drop();
      co_return;
    }
    const std::string given(request.headers.find("Authorization").value_or(""));
    net::HttpReply reply;
    if (!wanted_authorization.empty() && given != wanted_authorization) {
      reply.status = 401;
      reply.headers.add("WWW-Authenticate", "Basic realm=\"git\"");
    } else {
      reply = run(request);
    }
    co_await writer.send(std::move(reply));
  }
  int requests = 0;

 private:
  net::HttpReply run(const net::HttpRequest& request) {
    write_file(place_.path() / "request", request.body);
    const std::size_t question = std::min(request.target.find('?'), request.target.size());
    ChildProcess program(
        {"/usr/bin/env", "GIT_PROJECT_ROOT=" + root_, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory",
         "GIT_CONFIG_VALUE_0=*", "REQUEST_METHOD=" + request.method, "PATH_INFO=" + request.target.substr(0, question),
         "QUERY_STRING=" + (question == request.target.size() ? "" : request.target.substr(question + 1)),
         "CONTENT_TYPE=" + std::string(request.headers.find("Content-Type").value_or("")),
         "CONTENT_LENGTH=" + std::to_string(request.body.size()), "/bin/sh", "-c", "git http-backend < request > reply"},
        place_.path());
    program.wait();
    std::ifstream in(place_.path() / "reply", std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return parse(text.str());
  }

  static net::HttpReply parse(const std::string& text) {
    net::HttpReply reply;
    reply.status = 200;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && line != "\r" && !line.empty();) {
      if (line.back() == '\r') line.pop_back();
      const std::size_t colon = line.find(": ");
      if (line.starts_with("Status: ")) reply.status = std::stoi(line.substr(8));
      if (colon != std::string::npos && !line.starts_with("Status")) reply.headers.add(line.substr(0, colon), line.substr(colon + 2));
    }
    reply.body = text.substr(std::min(text.find("\r\n\r\n") + 4, text.size()));
    return reply;
  }

  const std::string root_;
  const TemporaryDirectory place_;
};

struct ReadOnPool {
  const GitRepository* repository;
  std::string known;
  Context context;
  Result<std::optional<GitSnapshot>> operator()() { return repository->read(known, context); }
};

Awaitable<Result<std::optional<GitSnapshot>>> read_on_pool(BlockingPool& pool, ReadOnPool work) {
  co_return co_await pool.run(std::move(work));
}

class GitServerTest : public testing::Test {
 protected:
  GitServerTest() : tls_(*net::generate_tls("git under test", {"localhost"})) {
    write_file(place_.path() / "ca.pem", tls_.ca_pem);
    server_ = std::make_unique<net::HttpServer>(
        io_.get_executor(), clock_, net::HttpServerOptions{}, *net::server_context(tls_.server),
        [this](net::HttpRequest request, net::Peer, net::ReplyWriter& writer) { return backend_.serve(std::move(request), writer); });
    EXPECT_TRUE(server_->start());
  }
  ~GitServerTest() override { run(io_, server_->stop(std::chrono::seconds(5))); }

  GitLocation location() const {
    GitLocation out;
    out.url = "https://localhost:" + std::to_string(server_->port()) + "/repository.git";
    out.cache = (place_.path() / "mirror").string();
    out.ca_file = (place_.path() / "ca.pem").string();
    return out;
  }
  Result<std::optional<GitSnapshot>> read(const GitLocation& from, const std::string& known = "") {
    const GitRepository repository(from);
    const Context context = Context(clock_, "test").with_timeout(std::chrono::seconds(20));
    return run(io_, read_on_pool(pool_, {&repository, known, context}));
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  BlockingPool pool_{1};
  WrittenRepository written_;
  TemporaryDirectory place_;
  net::GeneratedTls tls_;
  Backend backend_{std::filesystem::path(written_.path()).parent_path().string()};
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(GitServerTest, FollowsABranchOverHttps) {
  const std::string first = written_.commit({{"a.yaml", object("a")}});
  const auto got = read(location());
  ASSERT_TRUE(got && *got) << (got ? "nothing" : got.error().message);
  EXPECT_EQ((*got)->commit, first);
  EXPECT_EQ((*got)->objects.size(), 1u);
  const auto same = read(location(), first);
  ASSERT_TRUE(same);
  EXPECT_FALSE(*same);

  const std::string second = written_.commit({{"a.yaml", object("b")}});
  const auto next = read(location(), first);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->commit, second);
  EXPECT_FALSE((*next)->rewritten);
  written_.force(first);
  const auto forced = read(location(), second);
  ASSERT_TRUE(forced && *forced);
  EXPECT_TRUE((*forced)->rewritten);
}

TEST_F(GitServerTest, SeesThatABranchIsGoneAlthoughTheMirrorHasIt) {
  const std::string first = written_.commit({{"a.yaml", object("a")}});
  ASSERT_TRUE(read(location()));
  written_.commit({{"a.yaml", object("a")}}, {}, "other");
  written_.drop_branch();
  EXPECT_EQ(read(location(), first).error().message, "the branch does not exist");
}

TEST_F(GitServerTest, MakesABrokenMirrorAnew) {
  written_.commit({{"a.yaml", object("a")}});
  write_file(place_.path() / "mirror", "not a repository");
  const auto got = read(location());
  EXPECT_TRUE(got && *got) << (got ? "nothing" : got.error().message);
}

TEST_F(GitServerTest, LogsInWithTheTokenOfAFile) {
  written_.commit({{"a.yaml", object("a")}});
  backend_.wanted_authorization = "Basic " + to_base64("robot:token-value");
  EXPECT_EQ(read(location()).error().code, Errc::Denied);
  GitLocation with_token = location();
  with_token.username = "robot";
  with_token.token_file = (place_.path() / "token").string();
  EXPECT_EQ(read(with_token).error().code, Errc::Denied);
  write_file(place_.path() / "token", "wrong-value\n");
  EXPECT_EQ(read(with_token).error().code, Errc::Denied);
  write_file(place_.path() / "token", "token-value\n");
  const auto got = read(with_token);
  EXPECT_TRUE(got && *got) << (got ? "nothing" : got.error().message);
}

TEST_F(GitServerTest, BelievesOnlyTheAuthoritiesItWasGiven) {
  written_.commit({{"a.yaml", object("a")}});
  GitLocation other = location();
  write_file(place_.path() / "other.pem", net::generate_tls("somebody else", {"localhost"})->ca_pem);
  other.ca_file = (place_.path() / "other.pem").string();
  EXPECT_EQ(read(other).error().code, Errc::Denied);
  EXPECT_EQ(backend_.requests, 0);
  GitLocation by_address = location();
  by_address.url = "https://127.0.0.1:" + std::to_string(server_->port()) + "/repository.git";
  EXPECT_EQ(read(by_address).error().code, Errc::Denied);
  GitLocation without_file = location();
  without_file.ca_file = (place_.path() / "missing.pem").string();
  EXPECT_EQ(read(without_file).error().code, Errc::Invalid);
}

TEST_F(GitServerTest, AServerThatIsGoneOrBreaksOffIsUnavailable) {
  written_.commit({{"a.yaml", object("a")}});
  backend_.silent = true;
  EXPECT_EQ(read(location()).error().code, Errc::Unavailable);
  GitLocation nowhere = location();
  nowhere.url = "https://localhost:" + std::to_string(unused_port()) + "/repository.git";
  EXPECT_EQ(read(nowhere).error().code, Errc::Unavailable);
  backend_.silent = false;
  GitLocation missing = location();
  missing.url += "x";
  EXPECT_EQ(read(missing).error().code, Errc::Unavailable);
}

}  // namespace
}  // namespace keyturn::git
