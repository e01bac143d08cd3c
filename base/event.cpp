#include "base/event.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace keyturn {

namespace asio = boost::asio;

Event::Event(asio::any_io_executor executor) : never_(std::move(executor), asio::steady_timer::time_point::max()) {}

void Event::set() {
  set_ = true;
  never_.cancel();
}

Awaitable<bool> Event::wait(Clock& clock, Duration at_most) {
  if (set_ || at_most <= Duration(0)) co_return set_;
  const Timer limit = clock.after(at_most, [this] { never_.cancel(); });
  boost::system::error_code cancelled;  // the expected end: set, time over, or the coroutine is cancelled
  co_await never_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  co_return set_;
}

}  // namespace keyturn
