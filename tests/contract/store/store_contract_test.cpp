#include "tests/contract/store/store_contract.h"

#include "controller/embedded/sqlite/sqlite_store.h"
#include "controller/runtime/memory_store.h"
#include "tests/support/temporary_directory.h"

namespace keyturn {
namespace {

class MemoryHarness {
 public:
  boost::asio::io_context& io() { return io_; }
  Clock& clock() { return clock_; }
  Store& store() { return store_; }
  Task<> compact(ResourceVersion up_to) {
    store_.compact(up_to);
    co_return ok();
  }
  void close_watches() { store_.close_watches(); }

 private:
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  MemoryStore store_{io_.get_executor(), clock_, Uid{"memory"}};
};

class SqliteHarness {
 public:
  boost::asio::io_context& io() { return io_; }
  Clock& clock() { return clock_; }
  Store& store() { return *store_; }
  Task<> compact(ResourceVersion up_to) { return store_->compact(up_to); }
  void close_watches() { store_->close_watches(); }

 private:
  TemporaryDirectory directory_;
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  SeededRandom random_{1};
  BlockingPool pool_{1};
  std::unique_ptr<SqliteStore> store_ =
      SqliteStore::open(io_.get_executor(), clock_, random_, pool_, {.path = directory_.file("store.db")}).value();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, MemoryHarness);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, SqliteHarness);

}  // namespace
}  // namespace keyturn
