// SQLite's C interface as far as the store needs it, with errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace keyturn {

// What a result code of SQLite means to us, by its primary code: Unavailable (disk full, read-only, in use by another process, disk
// error: nothing was written by the statement), Invalid (the file is damaged or no database), Internal.
Error error_from_sqlite(int code);

// One prepared statement. Parameters and columns are numbered as SQLite does: parameters from 1, columns from 0. A view that was bound
// must live until `reset`; one that was read, until the next step.
class Statement {
 public:
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);

  // True = there is a row. After the last row, or an error, the statement is reset.
  Result<bool> step();
  // For statements without rows.
  Result<> run();
  void reset();
  // Whether the last step failed because the disk, or the size limit, was reached.
  bool was_full() const noexcept;

  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;  // of a text or a blob
  std::string text(int column) const { return std::string(bytes(column)); }
  bool is_null(int column) const;
  bool is_blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_ = 0;  // of the last step
};

// One connection. May move between threads, but only one may use it at a time.
class Database {
 public:
  // Creates the file, readable by its owner only, when there is none. Opening does not read it yet: see the first statement's error.
  static Result<Database> open(const std::string& path);

  Result<Statement> prepare(std::string_view sql);
  Result<> run(std::string_view sql);
  // The first column of the first row, as in "PRAGMA user_version".
  Result<std::string> value(std::string_view sql);
  bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace keyturn
