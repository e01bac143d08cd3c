#include "base/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <vector>

#include "base/event.h"
#include "base/log.h"

namespace keyturn {
namespace {

namespace asio = boost::asio;

// Keeps `body` in its own frame: a coroutine made by a lambda needs the lambda for as long as it runs.
Awaitable<> run_body(asio::any_io_executor executor, std::function<Awaitable<>()> body) {
  co_await asio::post(executor, asio::use_awaitable);  // never inside spawn
  co_await body();
}

// What of an exception may be logged: texts that we wrote, or that the system wrote about an error code.
void log_end(const std::string& name, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return;  // it was asked to stop
    log::error("task ended by an exception", {{"task", name}, {"error", error.code().message()}});
  } catch (const BadResultAccess& error) {
    log::error("task ended by an exception", {{"task", name}, {"error", error.what()}});
  } catch (const std::exception& error) {
    log::error("task ended by an exception", {{"task", name}, {"type", typeid(error).name()}});
  } catch (...) {
    log::error("task ended by an exception", {{"task", name}});
  }
}

}  // namespace

struct TaskGroup::State {
  explicit State(asio::any_io_executor on) : executor(std::move(on)), all_ended(executor) {}

  void ended(std::uint64_t id) {
    tasks.erase(id);
    if (stopping && tasks.empty()) all_ended.set();
  }

  asio::any_io_executor executor;
  std::map<std::uint64_t, std::shared_ptr<asio::cancellation_signal>> tasks;
  std::uint64_t spawned = 0;
  bool stopping = false;
  Event all_ended;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
  if (state_->spawned == 0 || state_->stopping) return;
  log::error("a task group was destroyed before it was stopped");
  std::abort();
}

void TaskGroup::spawn(std::string name, std::function<Awaitable<>()> body) {
  if (state_->stopping) return;
  const std::uint64_t id = ++state_->spawned;
  auto signal = std::make_shared<asio::cancellation_signal>();
  state_->tasks.emplace(id, signal);
  // The completion owns the signal: the slot must live until the coroutine ended, which may be after this group.
  auto completion = [state = state_, id, signal, name = std::move(name)](std::exception_ptr thrown) {
    if (thrown) log_end(name, thrown);
    state->ended(id);
  };
  asio::co_spawn(state_->executor, run_body(state_->executor, std::move(body)),
                 asio::bind_cancellation_slot(signal->slot(), std::move(completion)));
}

std::size_t TaskGroup::running() const noexcept { return state_->tasks.size(); }

void TaskGroup::request_stop() {
  state_->stopping = true;
  if (state_->tasks.empty()) state_->all_ended.set();
  // A copy, because a task may end while it is asked.
  std::vector<std::shared_ptr<asio::cancellation_signal>> signals;
  for (const auto& [id, signal] : state_->tasks) signals.push_back(signal);
  for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
}

Awaitable<std::size_t> TaskGroup::stop(Clock& clock, Duration grace) {
  const auto state = state_;
  request_stop();
  co_await state->all_ended.wait(clock, grace);
  co_return state->tasks.size();
}

}  // namespace keyturn
