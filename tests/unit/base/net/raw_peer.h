// A peer that sends exactly the bytes a test gives it: what no well-behaved client or server would.
#pragma once

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/stream.h"
#include "base/net/url.h"

namespace keyturn::net {

using boost::asio::ip::tcp;

// Everything the peer sends until it closes.
inline Awaitable<std::string> read_to_end(std::shared_ptr<Stream> stream) {
  std::string all;
  std::array<char, 4096> piece{};
  for (;;) {
    const Stream::Read read = co_await stream->read_some(piece);
    all.append(piece.data(), read.bytes);
    if (read.ec) co_return all;
  }
}

// Reads on until `mark` was seen; gives up when the peer closes.
inline Awaitable<std::string> read_to_mark(std::shared_ptr<Stream> stream, std::string mark) {
  std::string all;
  std::array<char, 4096> piece{};
  while (all.find(mark) == std::string::npos) {
    const Stream::Read read = co_await stream->read_some(piece);
    all.append(piece.data(), read.bytes);
    if (read.ec) break;
  }
  co_return all;
}

inline Awaitable<std::shared_ptr<Stream>> connect_raw(boost::asio::any_io_executor executor, std::uint16_t port,
                                                      std::shared_ptr<boost::asio::ssl::context> tls = nullptr) {
  auto stream = std::make_shared<Stream>(tcp::socket(executor), std::move(tls));
  Stream::Code ec = co_await stream->connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  if (!ec) ec = co_await stream->handshake(boost::asio::ssl::stream_base::client);
  if (ec) stream->close();
  co_return stream;
}

// Sends `bytes` and returns all that comes back until the server closes.
inline Awaitable<std::string> talk_raw(boost::asio::any_io_executor executor, std::uint16_t port, std::string bytes) {
  std::shared_ptr<Stream> stream = co_await connect_raw(executor, port);
  co_await stream->write(bytes);
  std::string answer = co_await read_to_end(stream);
  co_return answer;
}

// Serves connections one after the other. For each request it sends the next script; a script that ends the connection is marked so.
class RawServer {
 public:
  struct Script {
    std::vector<std::string> pieces;  // each a write of its own
    enum class Then { KeepOpen, Close } then = Then::KeepOpen;
  };

  explicit RawServer(boost::asio::io_context& io, std::vector<Script> scripts, std::shared_ptr<boost::asio::ssl::context> tls = nullptr)
      : state_(std::make_shared<State>(io, std::move(scripts), std::move(tls))) {
    boost::asio::co_spawn(io, serve(state_), [](std::exception_ptr) {});
  }
  ~RawServer() { state_->acceptor.close(); }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  Origin origin() const {
    return {.scheme = state_->tls ? "https" : "http", .host = "127.0.0.1", .port = state_->acceptor.local_endpoint().port()};
  }
  int connections() const { return state_->connections; }
  const std::vector<std::string>& requests() const { return state_->requests; }

 private:
  // Shared with the coroutines, which a test may outlive.
  struct State {
    State(boost::asio::io_context& io, std::vector<Script> given, std::shared_ptr<boost::asio::ssl::context> secured)
        : acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)), scripts(std::move(given)), tls(std::move(secured)) {}
    tcp::acceptor acceptor;
    std::vector<Script> scripts;
    std::shared_ptr<boost::asio::ssl::context> tls;
    std::size_t next = 0;
    int connections = 0;
    std::vector<std::string> requests;
    std::vector<std::shared_ptr<Stream>> silent;  // kept open without an answer
  };

  static Awaitable<> serve(std::shared_ptr<State> state) {
    for (;;) {
      boost::system::error_code ec;
      tcp::socket socket(state->acceptor.get_executor());
      co_await state->acceptor.async_accept(socket, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
      if (ec) co_return;
      ++state->connections;
      auto stream = std::make_shared<Stream>(std::move(socket), state->tls);
      boost::asio::co_spawn(state->acceptor.get_executor(), converse(state, stream), [](std::exception_ptr) {});
    }
  }

  static Awaitable<> converse(std::shared_ptr<State> state, std::shared_ptr<Stream> stream) {
    const Stream::Code failed = co_await stream->handshake(boost::asio::ssl::stream_base::server);
    while (!failed) {
      std::string request = co_await read_to_mark(stream, "\r\n\r\n");
      if (request.empty()) co_return;
      state->requests.push_back(std::move(request));
      if (state->next == state->scripts.size()) {
        state->silent.push_back(stream);
        co_return;
      }
      const Script script = state->scripts[state->next++];
      for (const std::string& piece : script.pieces) co_await stream->write(piece);
      if (script.then == Script::Then::Close) co_return;
    }
  }

  std::shared_ptr<State> state_;
};

}  // namespace keyturn::net
