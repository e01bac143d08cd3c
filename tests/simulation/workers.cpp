#include "tests/simulation/workers.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace keyturn::simulation {
namespace {

struct Worker {
  pid_t id = -1;
  int from = -1;
};

void write_all(int to, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(to, text.data() + done, text.size() - done);
    if (wrote <= 0) return;
    done += static_cast<std::size_t>(wrote);
  }
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(from, piece.data(), piece.size())) > 0;) text.append(piece.data(), static_cast<std::size_t>(got));
  return text;
}

Worker start(int number, const std::function<std::string(int)>& work) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) std::abort();
  std::fflush(nullptr);
  const pid_t id = ::fork();
  if (id < 0) std::abort();
  if (id == 0) {
    ::close(pipe[0]);
    write_all(pipe[1], work(number));
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(pipe[1]);
  return {id, pipe[0]};
}

}  // namespace

std::vector<std::string> in_workers(int count, const std::function<std::string(int)>& work) {
  if (count <= 1) return {work(0)};
  std::vector<Worker> workers;
  for (int i = 0; i < count; ++i) workers.push_back(start(i, work));
  std::vector<std::string> said;
  for (const Worker& worker : workers) {
    said.push_back(read_all(worker.from));
    ::close(worker.from);
    int status = 0;
    ::waitpid(worker.id, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) said.back() = "died";
  }
  return said;
}

int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace keyturn::simulation
