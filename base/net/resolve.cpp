#include "base/net/resolve.h"

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "base/event.h"

namespace keyturn::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Duration lookup_time_max = std::chrono::seconds(30);

// Shared with the resolver's handler, which may outlive the caller's patience.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}
  tcp::resolver resolver;
  Event done;
  bool found = false;
  std::vector<tcp::endpoint> endpoints;
};

}  // namespace

Task<std::vector<tcp::endpoint>> resolve(Context context, std::string host, std::uint16_t port) {
  boost::system::error_code not_numeric;
  const asio::ip::address address = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(address, port));

  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor);
  lookup->resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                                 [lookup](const boost::system::error_code& ec, const tcp::resolver::results_type& results) {
                                   lookup->found = !ec;
                                   for (const auto& entry : results) lookup->endpoints.push_back(entry.endpoint());
                                   lookup->done.set();
                                 });
  const Duration limit = std::min(lookup_time_max, context.remaining().value_or(lookup_time_max));
  const bool answered = co_await lookup->done.wait(context.clock(), limit);
  if (!answered) co_return Error{Errc::Unavailable, "host name lookup did not finish in time"};
  if (!lookup->found || lookup->endpoints.empty()) co_return Error{Errc::Unavailable, "host name not found"};
  co_return std::move(lookup->endpoints);
}

}  // namespace keyturn::net
