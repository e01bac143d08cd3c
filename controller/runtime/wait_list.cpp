#include "controller/runtime/wait_list.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

namespace keyturn {

namespace asio = boost::asio;

void WaitList::State::complete(std::uint64_t ticket, bool notified) {
  auto node = handlers.extract(ticket);
  if (node.empty()) return;
  // Posted, so that neither the caller nor a cancellation under way finds the waiter destroyed beneath it.
  asio::post(executor, [handler = std::move(node.mapped()), notified]() mutable { std::move(handler)(notified); });
}

Awaitable<bool> WaitList::wait() {
  // Not shared: this lambda lives in the coroutine, the coroutine in the handler, and the handler in the state.
  auto initiate = [state = state_.get()](auto handler) {
    const std::uint64_t ticket = state->arrivals++;
    const auto waiter = state->handlers.emplace(ticket, Handler(std::move(handler))).first;
    // The slot of the erased handler: erasing it has taken over the slot of the original.
    auto slot = asio::get_associated_cancellation_slot(waiter->second);
    if (!slot.is_connected()) return;
    slot.assign([weak = state->weak_from_this(), ticket](asio::cancellation_type) {
      if (const auto alive = weak.lock()) alive->complete(ticket, false);
    });
  };
  const bool notified = co_await asio::async_initiate<decltype(asio::use_awaitable), void(bool)>(initiate, asio::use_awaitable);
  co_return notified;
}

bool WaitList::notify_one() {
  if (state_->handlers.empty()) return false;
  state_->complete(state_->handlers.begin()->first, true);
  return true;
}

void WaitList::notify_all() {
  while (notify_one()) {
  }
}

Awaitable<Turnstile::Turn> Turnstile::enter() {
  if (!taken_) {
    taken_ = true;
    co_return Turn(*this);
  }
  const bool handed_over = co_await waiters_.wait();
  if (handed_over) co_return Turn(*this);
  co_return Turn();
}

// The turn passes from hand to hand while somebody waits, so that nobody who comes in between overtakes.
void Turnstile::leave() {
  const bool handed_over = waiters_.notify_one();
  taken_ = handed_over;
}

}  // namespace keyturn
