// A server that a test runs: started, watched through what it prints, stopped and certainly gone at the end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace keyturn {

// Whom a child runs as: PostgreSQL refuses to run as root, and CI often is root.
struct RunAs {
  uid_t user = 0;
  gid_t group = 0;
};

class ChildProcess {
 public:
  // Runs `arguments` (a path first) in `directory`; standard output and error are kept. Dies with the test. Throws std::runtime_error.
  ChildProcess(std::vector<std::string> arguments, const std::filesystem::path& directory, std::optional<RunAs> run_as = std::nullopt);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits until it has printed `text`; false = it ended first, or a minute passed.
  bool wait_for_output(std::string_view text);
  std::string output() const;

  // Waits for its end and gives the exit code; -1 when a signal ended it.
  int wait();
  void signal(int number) const;

 private:
  void read_output(int descriptor);

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  bool closed_ = false;
  std::thread reader_;
};

// A port of 127.0.0.1 that nobody listened on a moment ago. Whoever starts a server on it must be ready to try another.
int unused_port();

void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace keyturn
