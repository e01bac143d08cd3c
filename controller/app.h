// The composition root: makes every part once, ties them together, and takes them down in the opposite order.
#pragma once

#include <memory>

#include "base/error.h"
#include "controller/config.h"

namespace keyturn {

class App {
 public:
  explicit App(Config config);
  ~App();

  // Opens the store, makes certificates and tokens on the first start, binds the listeners, starts to reconcile. Errors say what to
  // mend: a corrupt or locked database, a port in use, a directory that cannot be written, a full disk. Nothing is lost by a failure.
  Result<> start();
  // Serves until SIGTERM or SIGINT, then stops in order: no new keys, finish or park the step under way, close. A second signal ends at
  // once. Returns the process's exit code.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn
