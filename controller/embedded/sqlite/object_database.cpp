#include "controller/embedded/sqlite/object_database.h"

#include <boost/json/parse.hpp>
#include <boost/json/serializer.hpp>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "controller/embedded/sqlite/key_file.h"
#include "controller/runtime/stored_object.h"
#include "controller/runtime/wiping_memory.h"

namespace keyturn {

namespace json = boost::json;

namespace {

constexpr int schema_version = 1;
constexpr int application_id = 0x4b54524e;  // "KTRN", in the header of the file; `file` and we tell by it whose file it is
constexpr int page_bytes = 4096;

// Where a body is stored, for the cipher: a body does not open in another row, nor as another version of the same row.
std::string place_of(const Resource& resource, const ObjectKey& key, ResourceVersion version) {
  std::string place;
  for (const std::string* part : {&resource.group, &resource.plural, &key.ns, &key.name}) place.append(*part).push_back('\0');
  return place + std::to_string(version);
}

WipedBytes serialize_wiped(const json::object& body) {
  WipedBytes text;
  char piece[4096];
  json::serializer serializer;
  serializer.reset(&body);
  while (!serializer.done()) text.append(serializer.read(piece));
  OPENSSL_cleanse(piece, sizeof piece);
  return text;
}

Result<ResourceVersion> version_from(const Result<std::string>& text) {
  if (!text) return text.error();
  ResourceVersion version = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), version);
  if (failed != std::errc() || end != text->data() + text->size()) return Error{Errc::Invalid, "the store has a malformed version"};
  return version;
}

}  // namespace

struct ObjectDatabase::Statements {
  Statement begin;
  Statement commit;
  Statement roll_back;
  Statement append;
  Statement put;
  Statement erase;
  Statement forget;
  Statement set_compacted;
};

ObjectDatabase::ObjectDatabase(Database database, ObjectCipher cipher) : database_(std::move(database)), cipher_(std::move(cipher)) {}

Result<std::unique_ptr<ObjectDatabase>> ObjectDatabase::open(const Options& options, Random& random) {
  Result<Database> database = Database::open(options.path);
  if (!database) return database.error();
  Result<> done = configure(*database, options);
  if (!done) return done.error();
  const Result<bool> fresh = is_new(*database);
  if (!fresh) return fresh.error();
  // Only now is the file known to be ours to write.
  done = write_ahead(*database, options);
  if (!done) return done.error();
  Result<ObjectCipher> cipher = load_cipher(options, *fresh, random);
  if (!cipher) return cipher.error();
  if (*fresh) done = create_schema(*database, *cipher, random);
  if (!done) return done.error();

  std::unique_ptr<ObjectDatabase> opened(new ObjectDatabase(std::move(*database), std::move(*cipher)));
  for (const auto step : {&ObjectDatabase::read_facts, &ObjectDatabase::check_consistency, &ObjectDatabase::prepare_statements}) {
    done = (opened.get()->*step)();
    if (!done) return done.error();
  }
  return opened;
}

Result<> ObjectDatabase::configure(Database& database, const Options& options) {
  // The exclusive lock keeps a second controller out, and spares the shared memory of WAL.
  for (const std::string& pragma :
       {"PRAGMA busy_timeout=" + std::to_string(options.busy_timeout.count()), std::string("PRAGMA locking_mode=EXCLUSIVE"),
        std::string("PRAGMA trusted_schema=OFF"), std::string("PRAGMA cell_size_check=ON"), std::string("PRAGMA synchronous=FULL"),
        std::string("PRAGMA cache_size=-1024"), std::string("PRAGMA journal_size_limit=16777216")}) {
    const Result<> set = database.run(pragma);
    if (!set) return set;
  }
  const Result<std::string> integrity = database.value("PRAGMA integrity_check(1)");
  if (!integrity) return integrity.error();
  if (*integrity != "ok") return Error{Errc::Invalid, "the store's file is damaged or not a database: restore it from a backup"};
  return ok();
}

Result<> ObjectDatabase::write_ahead(Database& database, const Options& options) {
  const Result<std::string> mode = database.value("PRAGMA journal_mode=WAL");
  if (!mode) return mode.error();
  if (*mode != "wal") return Error{Errc::Unavailable, "the store's file system does not support a write-ahead log"};
  return database.run("PRAGMA max_page_count=" + std::to_string(options.bytes_max / page_bytes));
}

Result<bool> ObjectDatabase::is_new(Database& database) {
  const Result<std::string> application = database.value("PRAGMA application_id");
  const Result<std::string> schema = database.value("PRAGMA user_version");
  const Result<std::string> tables = database.value("SELECT count(*) FROM sqlite_schema");
  for (const auto* fact : {&application, &schema, &tables}) {
    if (!*fact) return fact->error();
  }
  if (*application == "0" && *schema == "0" && *tables == "0") return true;
  if (*application != std::to_string(application_id)) return Error{Errc::Invalid, "the store's file is another program's database"};
  if (*schema != std::to_string(schema_version)) return Error{Errc::Invalid, "the store was written by a newer version of this program"};
  return false;
}

// The key comes before the database: a crash in between leaves a key that nothing needs yet, never a database without its key.
Result<ObjectCipher> ObjectDatabase::load_cipher(const Options& options, bool fresh, Random& random) {
  Result<Secret> key = read_key_file(options.key_path);
  if (!key && key.error().code == Errc::NotFound && fresh) key = create_key_file(options.key_path, random);
  if (!key) return key.error();
  return ObjectCipher::with_key(std::move(*key));
}

Result<> ObjectDatabase::create_schema(Database& database, const ObjectCipher& cipher, Random& random) {
  const std::string first = std::to_string(ObjectTable::version_first);
  for (const std::string& statement :
       {std::string("BEGIN IMMEDIATE"), "PRAGMA application_id=" + std::to_string(application_id),
        "PRAGMA user_version=" + std::to_string(schema_version),
        std::string("CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"),
        std::string("CREATE TABLE obj(g TEXT NOT NULL, r TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, "
                    "rv INTEGER NOT NULL, body NOT NULL, PRIMARY KEY(g, r, ns, name))"),
        std::string("CREATE TABLE log(rv INTEGER PRIMARY KEY AUTOINCREMENT, type INTEGER NOT NULL CHECK(type BETWEEN 0 AND 2), g TEXT NOT "
                    "NULL, r TEXT NOT NULL, "
                    "ns TEXT NOT NULL, name TEXT NOT NULL, body NOT NULL, prev_rv INTEGER, prev, at INTEGER NOT NULL)"),
        "INSERT INTO sqlite_sequence(name, seq) VALUES('log', " + first + ")",
        "INSERT INTO meta VALUES('identity', '" + random.uuid() + "'), ('compacted', '" + first + "'), ('key', '" + cipher.fingerprint() +
            "')",
        std::string("COMMIT")}) {
    const Result<> done = database.run(statement);
    if (!done) return done;
  }
  return ok();
}

Result<> ObjectDatabase::read_facts() {
  const Result<std::string> key = database_.value("SELECT value FROM meta WHERE name = 'key'");
  if (!key) return key.error();
  if (*key != cipher_.fingerprint()) return Error{Errc::Invalid, "the key file does not belong to this store"};
  const Result<std::string> identity = database_.value("SELECT value FROM meta WHERE name = 'identity'");
  if (!identity) return identity.error();
  const Result<ResourceVersion> compacted = version_from(database_.value("SELECT value FROM meta WHERE name = 'compacted'"));
  if (!compacted) return compacted.error();
  const Result<ResourceVersion> version = version_from(database_.value("SELECT seq FROM sqlite_sequence WHERE name = 'log'"));
  if (!version) return version.error();
  identity_ = Uid{*identity};
  compacted_ = *compacted;
  version_ = *version;
  return ok();
}

// Whether the newest change of each object is its state, no version lies ahead of the counter, and the history has no gap.
Result<> ObjectDatabase::check_consistency() {
  const Result<std::string> torn = database_.value(
      "SELECT count(*) FROM (SELECT g, r, ns, name, type, max(rv) AS rv FROM log GROUP BY g, r, ns, name) AS l "
      "LEFT JOIN obj AS o ON o.g = l.g AND o.r = l.r AND o.ns = l.ns AND o.name = l.name "
      "WHERE CASE l.type WHEN 2 THEN o.rv IS NOT NULL ELSE o.rv IS NOT l.rv END");
  if (!torn) return torn.error();
  const std::string counter = std::to_string(version_);
  const Result<std::string> ahead = database_.value("SELECT (SELECT count(*) FROM obj WHERE rv > " + counter +
                                                    ") + (SELECT count(*) FROM log WHERE rv > " + counter + ")");
  if (!ahead) return ahead.error();
  const Result<std::string> changes = database_.value("SELECT count(*) FROM log WHERE rv > " + std::to_string(compacted_));
  if (!changes) return changes.error();
  if (*torn != "0" || *ahead != "0" || *changes != std::to_string(version_ - compacted_)) {
    return Error{Errc::Invalid, "the store contradicts itself: restore it from a backup"};
  }
  return ok();
}

Result<> ObjectDatabase::prepare_statements() {
  std::vector<Statement> prepared;
  // The previous body is copied from row to row, so that it is neither encoded nor encrypted again.
  for (const std::string_view sql :
       {"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK",
        "INSERT INTO log(rv, type, g, r, ns, name, body, at, prev_rv, prev) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, o.rv, o.body "
        "FROM (SELECT 1) LEFT JOIN obj AS o ON o.g = ?3 AND o.r = ?4 AND o.ns = ?5 AND o.name = ?6",
        "INSERT INTO obj(g, r, ns, name, uid, rv, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
        "ON CONFLICT(g, r, ns, name) DO UPDATE SET uid = excluded.uid, rv = excluded.rv, body = excluded.body",
        "DELETE FROM obj WHERE g = ?1 AND r = ?2 AND ns = ?3 AND name = ?4", "DELETE FROM log WHERE rv <= ?1",
        "UPDATE meta SET value = CAST(?1 AS TEXT) WHERE name = 'compacted'"}) {
    Result<Statement> statement = database_.prepare(sql);
    if (!statement) return statement.error();
    prepared.push_back(std::move(*statement));
  }
  statements_ = std::make_shared<Statements>(Statements{std::move(prepared[0]), std::move(prepared[1]), std::move(prepared[2]),
                                                        std::move(prepared[3]), std::move(prepared[4]), std::move(prepared[5]),
                                                        std::move(prepared[6]), std::move(prepared[7])});
  return ok();
}

Result<> ObjectDatabase::load(ObjectTable& table) {
  const Result<> objects = load_objects(table);
  if (!objects) return objects;
  return load_changes(table);
}

Result<> ObjectDatabase::load_objects(ObjectTable& table) {
  Result<Statement> rows = database_.prepare("SELECT g, r, ns, name, rv, body FROM obj");
  if (!rows) return rows.error();
  for (;;) {
    const Result<bool> more = rows->step();
    if (!more) return more.error();
    if (!*more) return ok();
    const Resource resource{rows->text(0), rows->text(1)};
    const ObjectKey key{rows->text(2), rows->text(3)};
    Result<StoredPtr> object = decode(*rows, 5, resource, key, static_cast<ResourceVersion>(rows->integer(4)));
    if (!object) return object.error();
    table.restore(std::move(*object));
  }
}

// States that are known already, as the newest one or as the outcome of an earlier change, are shared instead of read again.
Result<> ObjectDatabase::load_changes(ObjectTable& table) {
  Result<Statement> rows = database_.prepare("SELECT g, r, ns, name, rv, body, type, prev_rv, prev, at FROM log WHERE rv > ?1 ORDER BY rv");
  if (!rows) return rows.error();
  rows->bind(1, static_cast<std::int64_t>(compacted_));
  std::map<std::pair<Resource, ObjectKey>, StoredPtr> known;
  for (;;) {
    const Result<bool> more = rows->step();
    if (!more) return more.error();
    if (!*more) return ok();
    const Resource resource{rows->text(0), rows->text(1)};
    const ObjectKey key{rows->text(2), rows->text(3)};
    const auto version = static_cast<ResourceVersion>(rows->integer(4));
    StoredPtr& last = known[{resource, key}];
    Change change{static_cast<ChangeType>(rows->integer(6)), nullptr, nullptr};
    if (!rows->is_null(8)) {
      const auto before = static_cast<ResourceVersion>(rows->integer(7));
      Result<StoredPtr> previous = last && last->version == before ? Result<StoredPtr>(last) : decode(*rows, 8, resource, key, before);
      if (!previous) return previous.error();
      change.previous = std::move(*previous);
    }
    const Result<StoredPtr> current = table.get(resource, key);
    Result<StoredPtr> object = current && (*current)->version == version ? current : decode(*rows, 5, resource, key, version);
    if (!object) return object.error();
    change.object = *object;
    last = change.object;
    table.restore(std::move(change), Instant(Duration(rows->integer(9))));
  }
}

Result<StoredPtr> ObjectDatabase::decode(const Statement& row, int body_column, const Resource& resource, const ObjectKey& key,
                                         ResourceVersion version) const {
  const Error unreadable{Errc::Invalid, "an object of the store cannot be read: restore it from a backup"};
  const bool sealed = row.is_blob(body_column);
  if (sealed != holds_secrets(resource)) return unreadable;
  boost::system::error_code failed;
  json::value body;
  if (sealed) {
    const Result<WipedBytes> clear = cipher_.open(row.bytes(body_column), place_of(resource, key, version));
    if (!clear) return clear.error();
    json::value parsed = json::parse(clear->view(), failed, wiping_storage());
    if (failed || !parsed.is_object()) return unreadable;
    return make_stored(resource, key, std::move(parsed.get_object()), version);
  }
  body = json::parse(row.bytes(body_column), failed);
  if (failed || !body.is_object()) return unreadable;
  return make_stored(resource, key, std::move(body.get_object()), version);
}

Result<ObjectDatabase::Row> ObjectDatabase::encode(const Change& change, Instant at, Random& random) const {
  const StoredObject& object = *change.object;
  Row row;
  row.type = change.type;
  row.object = change.object;
  row.at = at;
  row.sealed = holds_secrets(object.resource);
  const WipedBytes text = serialize_wiped(object.body);
  if (!row.sealed) {
    row.body = text.view();
    return row;
  }
  Result<std::string> sealed = cipher_.seal(text.view(), place_of(object.resource, object.key, object.version), random);
  if (!sealed) return sealed.error();
  row.body = std::move(*sealed);
  return row;
}

Result<> ObjectDatabase::write(const Row& row, std::optional<ResourceVersion> forget) {
  const Result<> written = in_transaction([&] {
    const Result<> rows = write_rows(row);
    if (!rows || !forget) return rows;
    return forget_rows(*forget);
  });
  if (!written) return written;
  version_ = row.object->version;
  if (forget) compacted_ = *forget;
  return written;
}

Result<> ObjectDatabase::forget(ResourceVersion up_to) {
  const Result<> forgotten = in_transaction([&] { return forget_rows(up_to); });
  if (forgotten) compacted_ = up_to;
  return forgotten;
}

Result<> ObjectDatabase::in_transaction(const std::function<Result<>()>& work) {
  if (broken_) return Error{Errc::Unavailable, "the store stopped writing after a disk error: restart"};
  const Result<> begun = statements_->begin.run();
  if (!begun) return begun;
  const Result<> worked = work();
  if (worked) return commit();
  const Result<> undone = statements_->roll_back.run();
  // SQLite may have rolled back by itself; only a transaction that stays open is a problem.
  if (!undone && database_.in_transaction()) broken_ = true;
  return worked;
}

// A full disk stops the commit before its last page; any other failure may come after it, while the log is being synced, and then a
// crash could bring the change to life.
Result<> ObjectDatabase::commit() {
  const Result<> committed = statements_->commit.run();
  if (committed) return committed;
  const bool full = statements_->commit.was_full();
  const Result<> undone = statements_->roll_back.run();
  if (full && (undone || !database_.in_transaction())) return committed;
  broken_ = true;
  return Error{Errc::OutcomeUnknown, "the disk failed while a change was written"};
}

Result<> ObjectDatabase::write_rows(const Row& row) {
  const StoredObject& object = *row.object;
  const auto version = static_cast<std::int64_t>(object.version);
  Statement& append = statements_->append;
  append.bind(1, version).bind(2, static_cast<std::int64_t>(row.type)).bind(3, object.resource.group).bind(4, object.resource.plural);
  append.bind(5, object.key.ns).bind(6, object.key.name).bind(8, row.at.time_since_epoch().count());
  row.sealed ? append.bind_blob(7, row.body) : append.bind(7, row.body);
  const Result<> appended = append.run();
  if (!appended) return appended;
  Statement& apply = row.type == ChangeType::Deleted ? statements_->erase : statements_->put;
  apply.bind(1, object.resource.group).bind(2, object.resource.plural).bind(3, object.key.ns).bind(4, object.key.name);
  if (row.type != ChangeType::Deleted) {
    apply.bind(5, object.uid.value).bind(6, version);
    row.sealed ? apply.bind_blob(7, row.body) : apply.bind(7, row.body);
  }
  return apply.run();
}

Result<> ObjectDatabase::forget_rows(ResourceVersion up_to) {
  const Result<> forgotten = statements_->forget.bind(1, static_cast<std::int64_t>(up_to)).run();
  if (!forgotten) return forgotten;
  return statements_->set_compacted.bind(1, static_cast<std::int64_t>(up_to)).run();
}

}  // namespace keyturn
