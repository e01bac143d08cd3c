#include "reconcilers/redis/resp_client.h"

#include <utility>

namespace keyturn::redis {

Task<std::unique_ptr<RespClient>> RespClient::open(Context context, wire::Peer peer) {
  auto connection = co_await wire::Connection::open(context, std::move(peer));
  if (!connection) co_return connection.error();
  const auto secured = co_await (*connection)->start_tls(context, "");
  if (!secured) co_return secured.error();
  co_return std::unique_ptr<RespClient>(new RespClient(*std::move(connection)));
}

Task<Reply> RespClient::call(Context context, Secret command, Effect effect, ReplyLimits limits) {
  auto reply = co_await exchange(context.with_timeout(wire::Connection::call_time_max), std::move(command), limits);
  // What changes nothing at the node was certainly not applied, whatever became of it.
  if (!reply && effect == Effect::None && reply.error().code == Errc::OutcomeUnknown)
    co_return Error{Errc::Unavailable, reply.error().message};
  co_return reply;
}

Task<Reply> RespClient::exchange(Context context, Secret command, ReplyLimits limits) {
  const auto sent = co_await connection_->send(context, command);
  if (!sent) co_return sent.error();
  std::string received;
  for (std::size_t needed = 1;;) {
    while (received.size() < needed) {
      const auto more = co_await connection_->receive(context, received);
      if (!more) co_return more.error();
    }
    auto parsed = parse_reply(received, limits);
    // One command, one reply: anything beyond it is not an answer to us.
    const bool malformed = !parsed || (parsed->reply && parsed->bytes != received.size());
    if (malformed) {
      connection_->close();
      co_return Error{Errc::OutcomeUnknown, "the node's answer is malformed or too large"};
    }
    if (parsed->reply) co_return *std::move(parsed->reply);
    needed = parsed->bytes;
  }
}

}  // namespace keyturn::redis
