#include "tests/support/scripted_server.h"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>

namespace keyturn {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct ScriptedServer::State {
  State(asio::io_context& io, std::vector<std::string> script, AtEnd end)
      : answers(std::move(script)), at_end(end), acceptor(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {}
  const std::vector<std::string> answers;
  const AtEnd at_end;
  tcp::acceptor acceptor;
  std::list<tcp::socket> peers;
  std::string received;
};

namespace {

template <class State>
asio::awaitable<std::size_t> read_some(std::shared_ptr<State> state, tcp::socket& peer) {
  std::array<char, 4096> piece{};
  error_code ec;
  const std::size_t bytes = co_await peer.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, ec));
  state->received.append(piece.data(), bytes);
  co_return bytes;
}

template <class State>
asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket& peer) {
  error_code ec;
  for (const std::string& answer : state->answers) {
    const std::size_t asked = co_await read_some(state, peer);
    if (asked == 0) co_return;
    co_await asio::async_write(peer, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, ec));
  }
  for (bool open = state->at_end == ScriptedServer::AtEnd::StaySilent; open;) {
    const std::size_t asked = co_await read_some(state, peer);
    open = asked != 0;
  }
  peer.close(ec);
}

template <class State>
asio::awaitable<void> accept_all(std::shared_ptr<State> state) {
  for (;;) {
    error_code ec;
    tcp::socket peer = co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    state->peers.push_back(std::move(peer));
    asio::co_spawn(state->acceptor.get_executor(), serve(state, state->peers.back()), asio::detached);
  }
}

}  // namespace

ScriptedServer::ScriptedServer(asio::io_context& io, std::vector<std::string> answers, AtEnd at_end)
    : state_(std::make_shared<State>(io, std::move(answers), at_end)) {
  asio::co_spawn(io, accept_all(state_), asio::detached);
}

ScriptedServer::~ScriptedServer() {
  error_code ignored;  // everything is closed, whatever state it is in
  state_->acceptor.close(ignored);
  for (tcp::socket& peer : state_->peers) peer.close(ignored);
}

std::uint16_t ScriptedServer::port() const { return state_->acceptor.local_endpoint().port(); }
const std::string& ScriptedServer::received() const { return state_->received; }

}  // namespace keyturn
