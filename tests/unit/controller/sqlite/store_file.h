// A SQLite store in a directory of its own that can be closed, looked into and opened again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "controller/embedded/sqlite/sqlite_store.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_objects.h"

namespace keyturn {

class StoreFile {
 public:
  explicit StoreFile(SqliteStoreOptions options = {}) : options_(std::move(options)) {
    options_.path = directory_.file("store.db");
    options_.busy_timeout = Duration(0);
  }

  Result<> open() {
    close();
    Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::open(io_.get_executor(), clock_, random_, pool_, options_);
    if (!opened) return opened.error();
    store_ = std::move(*opened);
    return ok();
  }
  void close() { store_.reset(); }
  Result<> reopen() { return open(); }

  Result<StoredPtr> get(const ObjectKey& key, const Resource& resource = rotations) {
    return run(io_, store_->get(context(), resource, key));
  }
  Result<StoredPtr> create(const ObjectKey& key, int number = 1, const Resource& resource = rotations) {
    return create(key, test_body(key, number), resource);
  }
  Result<StoredPtr> create(const ObjectKey& key, boost::json::object body, const Resource& resource = rotations) {
    return run(io_, store_->create(context(), resource, key, std::move(body)));
  }
  Result<StoredPtr> update(const ObjectKey& key, int number, ResourceVersion expected, const Resource& resource = rotations) {
    return run(io_, store_->update(context(), resource, key, test_body(key, number), expected));
  }
  Result<StoredPtr> remove(const ObjectKey& key, ResourceVersion expected, const Resource& resource = rotations) {
    return run(io_, store_->remove(context(), resource, key, expected));
  }
  // Creates or updates.
  Result<StoredPtr> put(const ObjectKey& key, int number, const Resource& resource = rotations) {
    const Result<StoredPtr> current = get(key, resource);
    return current ? update(key, number, (*current)->version, resource) : create(key, number, resource);
  }
  Result<ObjectList> list(ListOptions options = {}, const Resource& resource = rotations) {
    return run(io_, store_->list(context(), resource, options));
  }

  // One statement, or one value, on the closed file, as a person with the sqlite3 tool would.
  Result<> edit(std::string_view sql) {
    Result<Database> database = Database::open(options_.path);
    if (!database) return database.error();
    return database->run(sql);
  }
  std::string value(std::string_view sql) {
    Result<Database> database = Database::open(options_.path);
    return database->value(sql).value();
  }

  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::string bytes_of_all_files() const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) all += bytes_of(entry.path());
    return all;
  }

  SqliteStore& store() { return *store_; }
  SqliteStoreOptions& options() { return options_; }
  const std::string& path() const { return options_.path; }
  std::string key_path() const { return options_.path + ".key"; }
  boost::asio::io_context& io() { return io_; }
  VirtualClock& clock() { return clock_; }
  Context context() { return Context(clock_, "test"); }
  TemporaryDirectory& directory() { return directory_; }

 private:
  TemporaryDirectory directory_;
  SqliteStoreOptions options_;
  boost::asio::io_context io_;
  VirtualClock clock_{io_.get_executor()};
  SeededRandom random_{1};
  BlockingPool pool_{1};
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace keyturn
