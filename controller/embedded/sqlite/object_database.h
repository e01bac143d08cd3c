// The file of the SQLite store: objects, their recent changes and a few facts about the store. Blocking; one thread at a time.
//
// Tables (version 1):
//   meta(name, value)                                          identity, compacted (version), key (fingerprint of the cipher's key)
//   obj(g, r, ns, name, uid, rv, body)                         the newest state; g and r are API group and resource
//   log(rv, type, g, r, ns, name, body, prev_rv, prev, at)     one row per write; rv is AUTOINCREMENT, so it is never used twice
// A body is JSON text, or a blob when it is encrypted. `type` is ChangeType, `at` milliseconds of wall clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "controller/embedded/sqlite/database.h"
#include "controller/embedded/sqlite/object_cipher.h"
#include "controller/runtime/object_table.h"

namespace keyturn {

class ObjectDatabase {
 public:
  struct Options {
    std::string path;
    std::string key_path;
    std::uint64_t bytes_max = std::uint64_t{4} << 30;
    Duration busy_timeout{5'000};  // how long to wait for a process that still has the file open
  };

  // Creates what is missing, checks what is there, and takes the file for this process alone. Errors: Unavailable (in use, cannot be
  // opened or created), Invalid (damaged, contradicts itself, not ours, written by a newer version, other key), NotFound (the key file
  // is gone), Denied (the key file is accessible to others). Nothing is ever deleted or repaired.
  static Result<std::unique_ptr<ObjectDatabase>> open(const Options& options, Random& random);

  const Uid& identity() const noexcept { return identity_; }
  ResourceVersion version() const noexcept { return version_; }
  ResourceVersion compacted() const noexcept { return compacted_; }

  // Reads everything into `table`, which was made with version() and compacted(). Invalid when something cannot be read.
  Result<> load(ObjectTable& table);

  // A change as it is written: encoded and encrypted.
  struct Row {
    ChangeType type = ChangeType::Added;
    StoredPtr object;
    std::string body;
    bool sealed = false;
    Instant at;
  };
  Result<Row> encode(const Change& change, Instant at, Random& random) const;

  // One transaction: the object, its change, and the history up to `forget` away. Durable when it succeeds. Unavailable and Internal:
  // certainly not written. OutcomeUnknown: the disk failed at the very end; from then on every write is refused with Unavailable,
  // because this process no longer knows what the file says.
  Result<> write(const Row& row, std::optional<ResourceVersion> forget);
  Result<> forget(ResourceVersion up_to);
  bool broken() const noexcept { return broken_; }

 private:
  struct Statements;
  ObjectDatabase(Database database, ObjectCipher cipher);

  static Result<> configure(Database& database, const Options& options);
  static Result<> write_ahead(Database& database, const Options& options);
  static Result<bool> is_new(Database& database);
  static Result<ObjectCipher> load_cipher(const Options& options, bool fresh, Random& random);
  static Result<> create_schema(Database& database, const ObjectCipher& cipher, Random& random);
  Result<> read_facts();
  Result<> check_consistency();
  Result<> prepare_statements();
  Result<> load_objects(ObjectTable& table);
  Result<> load_changes(ObjectTable& table);
  Result<StoredPtr> decode(const Statement& row, int body_column, const Resource& resource, const ObjectKey& key,
                           ResourceVersion version) const;
  Result<> in_transaction(const std::function<Result<>()>& work);
  Result<> commit();
  Result<> write_rows(const Row& row);
  Result<> forget_rows(ResourceVersion up_to);

  Database database_;
  ObjectCipher cipher_;
  std::shared_ptr<Statements> statements_;  // shared only because the type is incomplete here
  Uid identity_;
  ResourceVersion version_ = 0;
  ResourceVersion compacted_ = 0;
  bool broken_ = false;
};

}  // namespace keyturn
