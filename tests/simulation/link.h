// The network between one process and everything outside of it. A request waits for its connection, is checked for the last time, leaves,
// arrives after a while, takes effect, and its reply comes back after another; each of these can go wrong, and the process can end or
// stand still between any two.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/context.h"
#include "controller/runtime/wait_list.h"
#include "tests/simulation/faults.h"

namespace keyturn::simulation {

enum class Access : std::uint8_t { Read, Write };

struct Request {
  std::string system;  // whom it goes to: outages are per system
  std::string what;    // "publish value-3", for the trace
  Access access = Access::Read;
};

// What a link needs of the world around it. All outlive every link.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual Faults& faults() = 0;
  // Runs `then` once `delay` of the world's time has passed, whatever becomes of processes.
  virtual void later(Duration delay, std::function<void()> then) = 0;
  virtual bool reachable(const std::string& system) const = 0;
  virtual void note(const std::string& who, const std::string& what) = 0;
  // An effect is about to leave a process: whether it had the authority is asked here.
  virtual void leaving(const Request& request) = 0;
  // A process stands still from now on, for `span`.
  virtual void standing_still(Duration span) = 0;
};

// The process at this end.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual const std::string& name() const = 0;
  virtual boost::asio::any_io_executor executor() = 0;
  virtual bool dead() const = 0;
  // From here on nothing of it runs any more.
  virtual void crash(const std::string& where) = 0;
  virtual void suspend(Duration span) = 0;
};

class Link {
 public:
  Link(Surroundings& world, Endpoint& here) : world_(world), here_(here) {}

  // `serve` runs when the request arrives, if it does. Errors besides its own: Unavailable (never left, or refused), Throttled,
  // OutcomeUnknown (no reply).
  template <class T>
  Task<T> call(Context context, Request request, std::function<Result<T>()> serve);

  Surroundings& world() noexcept { return world_; }
  Endpoint& here() noexcept { return here_; }

 private:
  template <class T>
  struct Exchange {
    explicit Exchange(boost::asio::any_io_executor executor) : done(std::move(executor)) {}
    std::optional<Result<T>> reply;
    WaitList done;
  };
  template <class T>
  void travel(const std::shared_ptr<Exchange<T>>& exchange, const Request& request, const Fate& fate, std::function<Result<T>()> serve);
  [[noreturn]] static void end() { throw boost::system::system_error(boost::asio::error::operation_aborted); }
  Awaitable<> stand_still(Duration span);

  Surroundings& world_;
  Endpoint& here_;
};

inline Awaitable<> Link::stand_still(Duration span) {
  here_.suspend(span);
  co_await boost::asio::post(here_.executor(), boost::asio::use_awaitable);
}

template <class T>
Task<T> Link::call(Context context, Request request, std::function<Result<T>()> serve) {
  if (here_.dead()) end();
  const Fate fate = world_.faults().fate_of_request(request.access == Access::Write);
  auto exchange = std::make_shared<Exchange<T>>(here_.executor());
  if (fate.crash == Crash::BeforeSend) here_.crash("before " + request.what);
  if (here_.dead()) {
    (void)co_await exchange->done.wait();  // until it is taken down
    end();
  }
  if (fate.connect > Duration{0}) co_await context.clock().sleep_for(fate.connect);
  if (fate.stall > Duration{0}) co_await stand_still(fate.stall);
  if (here_.dead()) end();  // a wait that ends by cancellation ends without error
  if (request.access == Access::Write && !context.may_send()) {
    world_.note(here_.name(), "too late to send: " + request.what);
    co_return Error{Errc::Unavailable, "the send deadline passed"};
  }
  if (fate.late_stall > Duration{0}) co_await stand_still(fate.late_stall);
  if (here_.dead()) end();
  if (fate.refused) {
    world_.note(here_.name(), std::string(fate.throttled ? "throttled: " : "refused: ") + request.what);
    if (fate.throttled) co_return Error{Errc::Throttled, "too many requests", std::chrono::seconds(3)};
    co_return Error{Errc::Unavailable, "cannot be reached"};
  }
  if (request.access == Access::Write) world_.leaving(request);
  const Duration limit = world_.faults().patience().request;
  const Duration patience = std::min(context.remaining().value_or(limit), limit);
  travel(exchange, request, fate, std::move(serve));
  if (fate.crash == Crash::AfterSend) here_.crash("after sending " + request.what);
  const Timer timeout = context.clock().after(patience, [waiter = std::weak_ptr(exchange)] {
    if (const auto alive = waiter.lock()) alive->done.notify_all();
  });
  const bool woken = co_await exchange->done.wait();
  if (!woken || here_.dead()) end();
  if (exchange->reply) co_return std::move(*exchange->reply);
  world_.note(here_.name(), "no reply: " + request.what);
  co_return Error{Errc::OutcomeUnknown, "no reply in time"};
}

template <class T>
void Link::travel(const std::shared_ptr<Exchange<T>>& exchange, const Request& request, const Fate& fate,
                  std::function<Result<T>()> serve) {
  if (!fate.request) return;
  // The exchange lives in the caller's coroutine: when that is gone, so is the process that could hear the reply.
  const std::weak_ptr<Exchange<T>> caller = exchange;
  Surroundings* world = &world_;
  Endpoint* here = &here_;
  world_.later(*fate.request, [world, here, caller, request, fate, serve = std::move(serve)] {
    if (!world->reachable(request.system)) return world->note(request.system, "is down: " + request.what);
    auto reply = std::make_shared<Result<T>>(serve());
    const auto alive = caller.lock();
    if (!alive) return;
    if (fate.crash == Crash::AfterEffect) return here->crash("after " + request.what);
    if (!fate.reply) return;
    world->later(*fate.reply, [caller, reply, reset = fate.reset] {
      const auto waiting = caller.lock();
      if (!waiting) return;
      if (reset) {
        waiting->reply.emplace(Error{Errc::OutcomeUnknown, "the connection was reset"});
      } else {
        waiting->reply.emplace(std::move(*reply));
      }
      waiting->done.notify_all();
    });
  });
}

}  // namespace keyturn::simulation
