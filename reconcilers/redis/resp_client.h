// One authenticated or fresh conversation with one Redis node.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/context.h"
#include "reconcilers/redis/resp.h"
#include "reconcilers/wire/connection.h"

namespace keyturn::redis {

// What a command does at the node: decides what a lost answer means.
enum class Effect : std::uint8_t { None, Write };

class RespClient {
 public:
  // TCP and TLS; nothing of RESP is sent. Errors: Unavailable, Denied (see wire::addresses_of).
  static Task<std::unique_ptr<RespClient>> open(Context context, wire::Peer peer);

  // Sends one command and reads its one reply; an error reply is success here. After an error the client is of no more use.
  // Errors: Unavailable (not sent; or lost, with Effect::None), OutcomeUnknown (lost, with Effect::Write).
  Task<Reply> call(Context context, Secret command, Effect effect, ReplyLimits limits);

 private:
  explicit RespClient(std::unique_ptr<wire::Connection> connection) : connection_(std::move(connection)) {}
  Task<Reply> exchange(Context context, Secret command, ReplyLimits limits);
  std::unique_ptr<wire::Connection> connection_;
};

}  // namespace keyturn::redis
