// A disk that fails on command: a layer between SQLite and the operating system, the default one while it exists.
#pragma once

#include <cstdint>
#include <memory>

namespace keyturn {

class FailingDisk {
 public:
  enum class Failure : std::uint8_t {
    None,
    Full,  // a write does not fit
    WriteError,
    SyncError,  // the bytes may or may not have arrived
  };

  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  // The n-th write (for Full and WriteError) or sync from now on fails, n from 1; with `stays`, all later ones, too.
  void fail(Failure failure, int nth, bool stays);
  void heal();
  int writes() const;  // since it was healed or told to fail
  int syncs() const;
  bool failed() const;

 private:
  struct State;
  static State* state;
  friend struct FailingFile;
  std::unique_ptr<State> state_;
};

}  // namespace keyturn
