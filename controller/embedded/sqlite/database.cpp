#include "controller/embedded/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace keyturn {

Error error_from_sqlite(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {Errc::Unavailable, "the store is full: disk or size limit"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {Errc::Unavailable, "the store is in use by another process"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return {Errc::Unavailable, "the store cannot be opened for writing"};
    case SQLITE_IOERR:
      return {Errc::Unavailable, "the disk of the store failed"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::Invalid, "the store's file is damaged or not a database: restore it from a backup"};
    default:
      return {Errc::Internal, "the store's database refused a statement"};
  }
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

// SQLite takes a null pointer for NULL, and an empty view may have one.
Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.empty() ? "" : text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  code_ = sqlite3_step(statement_.get());
  if (code_ == SQLITE_ROW) return true;
  reset();
  if (code_ == SQLITE_DONE) return false;
  return error_from_sqlite(code_);
}

Result<> Statement::run() {
  const Result<bool> stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return ok();
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::was_full() const noexcept { return (code_ & 0xff) == SQLITE_FULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
bool Statement::is_blob(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB; }

Result<Database> Database::open(const std::string& path) {
  // SQLite would create it by the umask. An existing file is left alone: closing it here would drop the locks of another connection of
  // this process.
  const int created = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (created >= 0) ::close(created);
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database(connection);
  if (code != SQLITE_OK) return error_from_sqlite(code);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  Statement prepared(statement);
  if (code != SQLITE_OK) return error_from_sqlite(code);
  return prepared;
}

Result<> Database::run(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return statement.error();
  return statement->run();
}

Result<std::string> Database::value(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return statement.error();
  const Result<bool> row = statement->step();
  if (!row) return row.error();
  if (!*row) return Error{Errc::NotFound, "the store's database has no such value"};
  return statement->text(0);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

}  // namespace keyturn
