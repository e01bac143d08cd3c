#include "controller/embedded/sqlite/sqlite_store.h"

#include <utility>

#include "base/log.h"

namespace keyturn {

namespace {

// Cutting the file's history is cheap but not free, so it is done for so many changes at once.
constexpr ResourceVersion forget_batch = 256;

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(boost::asio::any_io_executor executor, Clock& clock, Random& random,
                                                       BlockingPool& pool, SqliteStoreOptions options) {
  if (options.key_path.empty()) options.key_path = options.path + ".key";
  ObjectDatabase::Options file;
  file.path = options.path;
  file.key_path = options.key_path;
  file.bytes_max = options.bytes_max;
  file.busy_timeout = options.busy_timeout;
  Result<std::unique_ptr<ObjectDatabase>> database = ObjectDatabase::open(file, random);
  if (!database) return database.error();
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(executor), clock, random, pool, std::move(options), std::move(*database)));
  const Result<> loaded = store->database_->load(store->table_);
  if (!loaded) return loaded.error();
  return store;
}

SqliteStore::SqliteStore(boost::asio::any_io_executor executor, Clock& clock, Random& random, BlockingPool& pool,
                         SqliteStoreOptions options, std::shared_ptr<ObjectDatabase> database)
    : clock_(clock),
      random_(random),
      pool_(pool),
      options_(std::move(options)),
      database_(std::move(database)),
      forgotten_(database_->compacted()),
      table_(executor, options_.history, database_->version(), database_->compacted()),
      writers_(executor) {}

Task<StoredPtr> SqliteStore::get(Context, Resource resource, ObjectKey key) { co_return table_.get(resource, key); }

Task<ObjectList> SqliteStore::list(Context, Resource resource, ListOptions options) { co_return table_.list(resource, options); }

Task<std::unique_ptr<Watch>> SqliteStore::watch(Context, Resource resource, ResourceVersion since, ChangeSink& sink) {
  co_return table_.watch(resource, since, sink);
}

Task<StoredPtr> SqliteStore::create(Context context, Resource resource, ObjectKey key, boost::json::object body) {
  const Result<Turnstile::Turn> turn = co_await enter(std::move(context));
  if (!turn) co_return turn.error();
  Result<Change> change = table_.creation(resource, key, std::move(body));
  if (!change) co_return change.error();
  Result<StoredPtr> written = co_await commit(std::move(*change));
  co_return written;
}

Task<StoredPtr> SqliteStore::update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) {
  const Result<Turnstile::Turn> turn = co_await enter(std::move(context));
  if (!turn) co_return turn.error();
  Result<std::optional<Change>> change = table_.modification(resource, key, std::move(body), expected);
  if (!change) co_return change.error();
  if (!*change) co_return table_.get(resource, key);
  Result<StoredPtr> written = co_await commit(std::move(**change));
  co_return written;
}

Task<StoredPtr> SqliteStore::remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) {
  const Result<Turnstile::Turn> turn = co_await enter(std::move(context));
  if (!turn) co_return turn.error();
  Result<Change> change = table_.deletion(resource, key, expected);
  if (!change) co_return change.error();
  Result<StoredPtr> written = co_await commit(std::move(*change));
  co_return written;
}

Task<> SqliteStore::compact(ResourceVersion up_to) {
  table_.compact(up_to);
  const ResourceVersion cut = table_.oldest_watchable();
  const Turnstile::Turn turn = co_await writers_.enter();
  if (!turn) co_return Error{Errc::Cancelled, "stopping"};
  if (cut <= forgotten_) co_return ok();
  auto work = [database = database_, cut]() mutable { return std::exchange(database, nullptr)->forget(cut); };
  const Result<> done = co_await pool_.run(std::move(work));
  if (done) forgotten_ = cut;
  co_return done;
}

Task<Turnstile::Turn> SqliteStore::enter(Context context) {
  if (writers_.waiting() >= options_.writes_waiting_max) co_return Error{Errc::Unavailable, "too many writes are waiting"};
  Turnstile::Turn turn = co_await writers_.enter();
  if (!turn) co_return Error{Errc::Cancelled, "stopping"};
  if (context.expired()) co_return Error{Errc::Unavailable, "the time for a write was over before it began"};
  co_return std::move(turn);
}

// From the end of the transaction to the update of memory nothing may wait: a cancelled coroutine ends at its next wait.
Task<StoredPtr> SqliteStore::commit(Change change) {
  const BootInstant started = clock_.boot_now();
  const Instant at = clock_.now();
  Result<ObjectDatabase::Row> row = database_->encode(change, at, random_);
  if (!row) co_return row.error();
  const std::optional<ResourceVersion> forget = to_forget();
  // Lets go of the file before it says that it is done, so that a store that is destroyed then has closed it.
  auto work = [database = database_, forget, encoded = std::move(*row)]() mutable {
    return std::exchange(database, nullptr)->write(encoded, forget);
  };
  const Result<> written = co_await pool_.run(std::move(work));
  counters_.write_time.observe(clock_.boot_now() - started);
  if (!written) {
    ++counters_.failures;
    healthy_ = !database_->broken();
    log::error("a write to the store failed", {{"error", written.error()}, {"healthy", healthy_}});
    co_return written.error();
  }
  ++counters_.writes;
  if (forget) forgotten_ = *forget;
  table_.commit(change, at);
  co_return change.object;
}

std::optional<ResourceVersion> SqliteStore::to_forget() const {
  const ResourceVersion oldest = table_.oldest_watchable();
  if (oldest < forgotten_ + forget_batch) return std::nullopt;
  return oldest;
}

}  // namespace keyturn
