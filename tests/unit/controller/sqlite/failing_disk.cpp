#include "tests/unit/controller/sqlite/failing_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cstddef>

namespace keyturn {

struct FailingDisk::State {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  std::atomic<Failure> failure{Failure::None};
  std::atomic<int> nth{0};
  std::atomic<bool> stays{false};
  std::atomic<int> writes{0};
  std::atomic<int> syncs{0};
  std::atomic<bool> failed{false};

  bool due(int count) {
    const bool now = stays ? count >= nth : count == nth;
    if (now) failed = true;
    return now;
  }
};

FailingDisk::State* FailingDisk::state = nullptr;

// A file of SQLite with the real one behind it, in the same block of memory.
struct FailingFile {
  sqlite3_file base;
  sqlite3_file* real;

  static FailingFile* of(sqlite3_file* file) { return reinterpret_cast<FailingFile*>(file); }
  static FailingDisk::State& disk() { return *FailingDisk::state; }

  static int close(sqlite3_file* file) { return of(file)->real->pMethods->xClose(of(file)->real); }
  static int read(sqlite3_file* file, void* into, int size, sqlite3_int64 at) {
    return of(file)->real->pMethods->xRead(of(file)->real, into, size, at);
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    const int count = ++disk().writes;
    const auto failure = disk().failure.load();
    if (failure == FailingDisk::Failure::Full && disk().due(count)) return SQLITE_FULL;
    if (failure == FailingDisk::Failure::WriteError && disk().due(count)) return SQLITE_IOERR_WRITE;
    return of(file)->real->pMethods->xWrite(of(file)->real, from, size, at);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) { return of(file)->real->pMethods->xTruncate(of(file)->real, size); }
  // Does not really sync: no test here loses power, and thousands of syncs take minutes.
  static int sync(sqlite3_file*, int) {
    const int count = ++disk().syncs;
    return disk().failure == FailingDisk::Failure::SyncError && disk().due(count) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* result) { return of(file)->real->pMethods->xFileSize(of(file)->real, result); }
  static int lock(sqlite3_file* file, int level) { return of(file)->real->pMethods->xLock(of(file)->real, level); }
  static int unlock(sqlite3_file* file, int level) { return of(file)->real->pMethods->xUnlock(of(file)->real, level); }
  static int check_lock(sqlite3_file* file, int* result) { return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, result); }
  static int control(sqlite3_file* file, int operation, void* argument) {
    return of(file)->real->pMethods->xFileControl(of(file)->real, operation, argument);
  }
  static int sector_size(sqlite3_file* file) { return of(file)->real->pMethods->xSectorSize(of(file)->real); }
  static int characteristics(sqlite3_file* file) { return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real); }

  // Version 1: no shared memory, which the exclusive mode of the store does not need.
  static constexpr sqlite3_io_methods methods{1,       close,      read,    write,       truncate,        sync,    size,    lock,
                                              unlock,  check_lock, control, sector_size, characteristics, nullptr, nullptr, nullptr,
                                              nullptr, nullptr,    nullptr};

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    FailingFile* const self = of(file);
    self->real = reinterpret_cast<sqlite3_file*>(self + 1);
    const int code = disk().real->xOpen(disk().real, name, self->real, flags, out_flags);
    self->base.pMethods = code == SQLITE_OK ? &methods : nullptr;
    return code;
  }
};

FailingDisk::FailingDisk() : state_(std::make_unique<State>()) {
  state = state_.get();
  state_->real = sqlite3_vfs_find(nullptr);
  state_->vfs = *state_->real;
  state_->vfs.zName = "failing";
  state_->vfs.szOsFile = static_cast<int>(sizeof(FailingFile)) + state_->real->szOsFile;
  state_->vfs.xOpen = FailingFile::open;
  sqlite3_vfs_register(&state_->vfs, 1);
}

FailingDisk::~FailingDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
  state = nullptr;
}

void FailingDisk::fail(Failure failure, int nth, bool stays) {
  heal();
  state_->nth = nth;
  state_->stays = stays;
  state_->failure = failure;
}

void FailingDisk::heal() {
  state_->failure = Failure::None;
  state_->writes = 0;
  state_->syncs = 0;
  state_->failed = false;
}

int FailingDisk::writes() const { return state_->writes; }
int FailingDisk::syncs() const { return state_->syncs; }
bool FailingDisk::failed() const { return state_->failed; }

}  // namespace keyturn
