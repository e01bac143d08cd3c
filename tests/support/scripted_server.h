// A server that says what a test tells it to, whatever it is asked: for answers that no real server gives.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class ScriptedServer {
 public:
  enum class AtEnd { Close, StaySilent };

  // Each connection gets the `answers` in order, one whenever something arrived.
  ScriptedServer(boost::asio::io_context& io, std::vector<std::string> answers, AtEnd at_end = AtEnd::Close);
  ~ScriptedServer();

  std::uint16_t port() const;
  // All that arrived, on all connections.
  const std::string& received() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keyturn
