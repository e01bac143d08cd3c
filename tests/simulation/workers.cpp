#include "tests/simulation/workers.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>

namespace keyturn::simulation {
namespace {

// The number of the next piece, in memory that all children share.
class Turns {
 public:
  Turns() {
    void* shared = ::mmap(nullptr, sizeof(Next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    next_ = new (shared) Next(0);
  }
  ~Turns() { ::munmap(next_, sizeof(Next)); }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  std::uint64_t take() { return next_->fetch_add(1); }

 private:
  using Next = std::atomic<std::uint64_t>;
  static_assert(Next::is_always_lock_free);
  Next* next_;
};

struct Child {
  pid_t id = -1;
  int from = -1;
};

void add(Counts& sum, const Counts& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (std::size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
}

Counts work_through(std::uint64_t pieces, Turns& turns, const std::function<Counts(std::uint64_t)>& work) {
  Counts sum;
  for (std::uint64_t piece = turns.take(); piece < pieces; piece = turns.take()) add(sum, work(piece));
  return sum;
}

void send(int to, const Counts& counts) {
  const auto* bytes = reinterpret_cast<const char*>(counts.data());
  const std::size_t size = counts.size() * sizeof(Counts::value_type);
  for (std::size_t done = 0; done < size;) {
    const ssize_t wrote = ::write(to, bytes + done, size - done);
    if (wrote <= 0) return;
    done += static_cast<std::size_t>(wrote);
  }
}

Counts receive(int from) {
  Counts counts;
  Counts::value_type count = 0;
  auto* bytes = reinterpret_cast<char*>(&count);
  std::size_t held = 0;
  for (ssize_t got = 0; (got = ::read(from, bytes + held, sizeof(count) - held)) > 0;) {
    held += static_cast<std::size_t>(got);
    if (held < sizeof(count)) continue;
    counts.push_back(count);
    held = 0;
  }
  return counts;
}

Child start(std::uint64_t pieces, Turns& turns, const std::function<Counts(std::uint64_t)>& work) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) std::abort();
  std::fflush(nullptr);
  const pid_t id = ::fork();
  if (id < 0) std::abort();
  if (id == 0) {
    ::close(pipe[0]);
    send(pipe[1], work_through(pieces, turns, work));
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(pipe[1]);
  return {id, pipe[0]};
}

}  // namespace

std::optional<Counts> sum_over(std::uint64_t pieces, int jobs, const std::function<Counts(std::uint64_t)>& work) {
  Turns turns;
  if (jobs <= 1) return work_through(pieces, turns, work);
  std::vector<Child> children;
  for (int i = 0; i < jobs; ++i) children.push_back(start(pieces, turns, work));
  Counts sum;
  bool died = false;
  for (const Child& child : children) {
    add(sum, receive(child.from));
    ::close(child.from);
    int status = 0;
    ::waitpid(child.id, &status, 0);
    died |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  }
  return died ? std::nullopt : std::optional(std::move(sum));
}

int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace keyturn::simulation
