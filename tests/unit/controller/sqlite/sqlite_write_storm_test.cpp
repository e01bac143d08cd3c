// kill -9 in a storm of writes: what was acknowledged is there, nothing is torn, and no version is used twice.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <map>

#include "tests/unit/controller/sqlite/store_file.h"

namespace keyturn {
namespace {

// One acknowledged write, as the child reports it through a pipe before it begins the next.
struct Acknowledged {
  ResourceVersion version;
  int name;
  int number;  // 0 = removed
};

class Writer {
 public:
  Writer(const std::string& path, std::uint64_t seed, int report)
      : random_(seed), first_number_(static_cast<int>(seed) * 1'000'000), report_(report) {
    auto opened = SqliteStore::open(io_.get_executor(), clock_, random_, pool_, {.path = path, .history = {.changes_max = 300}});
    if (!opened) std::_Exit(3);
    store_ = std::move(*opened);
  }

  [[noreturn]] void run() {
    for (int lane = 0; lane < 3; ++lane) boost::asio::co_spawn(io_, write(lane), boost::asio::detached);
    io_.run();
    std::_Exit(4);  // it is killed before
  }

 private:
  // Each lane has names of its own, so that a write's outcome depends on its lane only.
  Awaitable<> write(int lane) {
    const Context context(clock_, "storm");
    for (int number = first_number_ + 1;; ++number) {
      const int name = lane * 10 + static_cast<int>(random_.below(4));
      const ObjectKey key{"erp", std::to_string(name)};
      const Resource resource = lane == 2 ? core_secrets : rotations;
      const Result<StoredPtr> current = co_await store_->get(context, resource, key);
      const bool removing = current && random_.below(4) == 0;
      Result<StoredPtr> written = Error{};
      if (removing) {
        written = co_await store_->remove(context, resource, key, (*current)->version);
      } else if (current) {
        written = co_await store_->update(context, resource, key, test_body(key, number), (*current)->version);
      } else {
        written = co_await store_->create(context, resource, key, test_body(key, number));
      }
      if (!written) std::_Exit(5);
      const Acknowledged done{(*written)->version, name, removing ? 0 : number};
      if (::write(report_, &done, sizeof done) != sizeof done) std::_Exit(6);
    }
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_.get_executor()};
  SeededRandom random_;
  int first_number_;  // no two processes write the same body, which would be no write
  BlockingPool pool_{1};
  int report_;
  std::unique_ptr<SqliteStore> store_;
};

// Lets a child write and kills it after `count` acknowledgements; returns all that it managed to report.
std::vector<Acknowledged> storm(const std::string& path, std::uint64_t seed, int count) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    Writer(path, seed, ends[1]).run();
  }
  ::close(ends[1]);
  std::vector<Acknowledged> acknowledged;
  Acknowledged next{};
  while (::read(ends[0], &next, sizeof next) == sizeof next) {
    acknowledged.push_back(next);
    if (acknowledged.size() == static_cast<std::size_t>(count)) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) throw std::runtime_error("the child ended by itself");
  return acknowledged;
}

class WriteStormTest : public ::testing::Test {
 protected:
  // The state that the log leads to must be the state in the tables; and no acknowledged write may be missing from it.
  void check(const std::vector<Acknowledged>& acknowledged, ResourceVersion before) {
    ASSERT_TRUE(file_.open()) << "opening checks that log and state agree";
    const ResourceVersion version = file_.store().version();
    for (const auto& each : acknowledged) EXPECT_GT(each.version, before) << "a version was used twice";
    EXPECT_GE(version, acknowledged.back().version);
    // Each of the three lanes may have had one write on its way that was done but not reported.
    EXPECT_LE(version, acknowledged.back().version + 3);

    std::map<int, Acknowledged> last;
    for (const auto& each : acknowledged) last[each.name] = each;
    for (const auto& [name, expected] : last) {
      const Result<StoredPtr> found = file_.get({"erp", std::to_string(name)}, name >= 20 ? core_secrets : rotations);
      const bool newer = found && (*found)->version > acknowledged.back().version;
      if (newer || expected.version + 3 > acknowledged.back().version) continue;  // the unreported write may be to this one
      EXPECT_EQ(found.has_value(), expected.number != 0) << name;
      if (found) EXPECT_EQ(number_of(**found), expected.number) << name;
    }
    replay();
    file_.close();
    EXPECT_EQ(file_.value("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(file_.value("SELECT max(rv) = (SELECT seq FROM sqlite_sequence WHERE name = 'log') FROM log"), "1");
  }

  // Undoing the whole history and doing it again leads to the same objects.
  void replay() {
    for (const Resource& resource : {rotations, core_secrets}) {
      std::map<ObjectKey, StoredPtr> state;
      const ResourceVersion oldest = file_.store().oldest_watchable();
      const Result<ObjectList> then = file_.list({.at = oldest}, resource);
      ASSERT_TRUE(then);
      for (const auto& object : then->items) state[object->key] = object;
      RecordingSink sink;
      const auto watch = run(file_.io(), file_.store().watch(file_.context(), resource, oldest, sink));
      ASSERT_TRUE(watch);
      run_ready(file_.io());
      for (const auto& change : sink.changes) {
        EXPECT_EQ(change.previous, state[change.object->key]);
        state[change.object->key] = change.type == ChangeType::Deleted ? nullptr : change.object;
      }
      std::erase_if(state, [](const auto& entry) { return !entry.second; });
      const Result<ObjectList> now = file_.list({}, resource);
      ASSERT_EQ(now->items.size(), state.size());
      for (const auto& object : now->items) EXPECT_EQ(state[object->key], object);
    }
  }

  StoreFile file_;
};

TEST_F(WriteStormTest, AKilledProcessLosesNothingThatItAcknowledged) {
  ResourceVersion before = ObjectTable::version_first;
  SeededRandom random(4711);
  for (std::uint64_t round = 1; round <= 12; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto acknowledged = storm(file_.path(), round, 1 + static_cast<int>(random.below(200)));
    ASSERT_FALSE(acknowledged.empty());
    check(acknowledged, before);
    if (HasFatalFailure()) return;
    before = acknowledged.back().version;
  }
}

}  // namespace
}  // namespace keyturn
