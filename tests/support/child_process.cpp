#include "tests/support/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace keyturn {
namespace {

constexpr std::chrono::seconds start_time_max{60};

// Between fork and exec only calls that are safe there: other threads of the test may have held any lock.
[[noreturn]] void become(char* const* arguments, const char* directory, int output, const RunAs* run_as, pid_t parent) {
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  if (run_as != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(run_as->group) != 0 || ::setuid(run_as->user) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which clears it
  if (::getppid() != parent || ::chdir(directory) != 0) ::_exit(126);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> arguments, const std::filesystem::path& directory, std::optional<RunAs> run_as) {
  std::vector<char*> raw;
  for (std::string& one : arguments) raw.push_back(one.data());
  raw.push_back(nullptr);
  const std::string place = directory.string();
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a child process");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(raw.data(), place.c_str(), pipe[1], run_as ? &*run_as : nullptr, parent);
  ::close(pipe[1]);
  if (pid_ < 0) throw std::runtime_error("no child process");
  reader_ = std::thread([this, descriptor = pipe[0]] { read_output(descriptor); });
}

ChildProcess::~ChildProcess() {
  if (!exit_code_) signal(SIGKILL);
  wait();
  reader_.join();
}

void ChildProcess::read_output(int descriptor) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t bytes = ::read(descriptor, piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    const std::lock_guard hold(mutex_);
    if (bytes > 0) output_.append(piece.data(), static_cast<std::size_t>(bytes));
    closed_ = bytes <= 0;
    changed_.notify_all();
    if (closed_) break;
  }
  ::close(descriptor);
}

bool ChildProcess::wait_for_output(std::string_view text) {
  std::unique_lock hold(mutex_);
  const auto printed = [&] { return output_.find(text) != std::string::npos; };
  changed_.wait_for(hold, start_time_max, [&] { return closed_ || printed(); });
  return printed();
}

std::string ChildProcess::output() const {
  const std::lock_guard hold(mutex_);
  return output_;
}

int ChildProcess::wait() {
  if (exit_code_) return *exit_code_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return *exit_code_;
}

void ChildProcess::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

int unused_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(probe);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("a file cannot be written");
}

}  // namespace keyturn
