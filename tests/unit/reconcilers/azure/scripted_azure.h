// An HTTP server that answers as a test tells it to, an identity whose tokens are numbered, and a clock that stands still: for answers
// that neither Azure nor a simulation gives on demand.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/net/http_client.h"
#include "base/net/http_server.h"
#include "reconcilers/azure/http_time.h"
#include "reconcilers/azure/identity.h"
#include "tests/support/run_loop.h"
#include "tests/support/virtual_clock.h"

namespace keyturn {

// One request as it arrived.
struct SeenRequest {
  std::string method;
  std::string target;
  std::string authorization;
  std::string body;
  net::Headers headers;
};

// What to answer. Unlike a reply it can be copied.
struct ScriptedReply {
  int status = 200;
  std::string body;
  net::Headers headers;
};

class ScriptedAzure {
 public:
  // Nothing = close the connection without an answer.
  using Answer = std::optional<ScriptedReply>;
  using Script = std::function<Answer(const SeenRequest&)>;

  ScriptedAzure()
      : clock(io.get_executor(), Instant{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}}),
        http(std::make_shared<net::HttpClient>(io.get_executor(), net::client_context(net::TlsTrust{}).value())),
        server_(io.get_executor(), clock, {}, nullptr,
                [this](net::HttpRequest request, net::Peer, net::ReplyWriter& writer) { return serve(std::move(request), writer); }) {
    if (!server_.start()) throw std::runtime_error("the scripted server cannot listen");
  }
  ~ScriptedAzure() { run(io, server_.stop(Duration{1'000})); }
  ScriptedAzure(const ScriptedAzure&) = delete;
  ScriptedAzure& operator=(const ScriptedAzure&) = delete;

  net::Origin origin() const { return {"http", "127.0.0.1", server_.port()}; }
  std::string url(const std::string& target) const { return "http://" + origin().authority() + target; }
  Context context() { return {clock, "team/redis publish"}; }

  // The next answers, in order; after them `otherwise`.
  void then(int status, std::string body, net::Headers headers = {}) {
    next_.push_back(reply(status, std::move(body), std::move(headers)));
  }
  void then_close() { next_.push_back(std::nullopt); }
  void otherwise(Script script) { otherwise_ = std::move(script); }

  ScriptedReply reply(int status, std::string body, net::Headers headers = {}) const {
    ScriptedReply out{status, std::move(body), std::move(headers)};
    if (!out.headers.find("Date")) out.headers.add("Date", format_http_date(clock.now()));
    return out;
  }

  template <class T>
  T run_task(boost::asio::awaitable<T> task) {
    return run(io, std::move(task));
  }

  boost::asio::io_context io;
  VirtualClock clock;
  std::vector<SeenRequest> seen;
  std::shared_ptr<net::HttpClient> http;

 private:
  Awaitable<> serve(net::HttpRequest request, net::ReplyWriter& writer) {
    SeenRequest arrived{request.method, request.target, std::string(request.headers.find("Authorization").value_or("")), request.body,
                        request.headers};
    if (request.bearer) arrived.authorization = request.bearer->expose([](std::string_view text) { return "Bearer " + std::string(text); });
    seen.push_back(arrived);
    Answer answer = reply(500, "nothing was scripted");
    if (!next_.empty()) {
      answer = std::move(next_.front());
      next_.pop_front();
    } else if (otherwise_) {
      answer = otherwise_(arrived);
    }
    if (!answer) {
      writer.drop();
      co_return;
    }
    net::HttpReply out;
    out.status = answer->status;
    out.body = std::move(answer->body);
    out.headers = std::move(answer->headers);
    co_await writer.send(std::move(out));
  }

  std::deque<Answer> next_;
  Script otherwise_;
  net::HttpServer server_;
};

// Gives "token-1", "token-2", ... for each resource, and remembers who asked for what.
class NumberedTokens final : public TokenIssuer {
 public:
  Task<IssuedToken> issue(Context, std::string resource, std::string claims) override {
    asked.emplace_back(resource, claims);
    if (failure) co_return *failure;
    IssuedToken token;
    token.value = Secret::copy_of("token-" + std::to_string(asked.size()));
    token.lifetime = lifetime;
    token.refresh_in = refresh_in;
    co_return std::move(token);
  }
  std::vector<std::pair<std::string, std::string>> asked;
  std::optional<Error> failure;
  Duration lifetime{3'600'000};
  std::optional<Duration> refresh_in;
};

inline std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view text) { return std::string(text); });
}

}  // namespace keyturn
