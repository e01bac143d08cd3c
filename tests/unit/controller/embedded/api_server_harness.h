// The embedded API server without a socket: requests go straight to its handler, in virtual time, on a store in memory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <vector>

#include "controller/embedded/api_server.h"
#include "controller/runtime/memory_store.h"
#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"

namespace keyturn::embedded {

struct TestReply {
  int status = 0;
  net::Headers headers;
  std::string body;
  // Parsed once, so that what is found in it lives as long as the reply.
  const boost::json::object& json() const {
    if (!parsed) parsed = std::make_shared<const boost::json::value>(boost::json::parse(body));
    return parsed->as_object();
  }
  std::string message() const { return std::string(json().at("message").as_string()); }
  std::string reason() const { return std::string(json().at("reason").as_string()); }
  mutable std::shared_ptr<const boost::json::value> parsed = nullptr;
  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
};

class RecordingWriter final : public net::ReplyWriter {
 public:
  Awaitable<bool> send(net::HttpReply reply) override {
    status = reply.status;
    headers = std::move(reply.headers);
    body = std::move(reply.body);
    begun_ = true;
    co_return !gone;
  }
  Awaitable<bool> begin(int code, net::Headers fields) override {
    status = code;
    headers = std::move(fields);
    begun_ = true;
    co_return !gone;
  }
  Awaitable<bool> write(std::string_view chunk) override {
    body += chunk;
    co_return !gone;
  }
  bool begun() const noexcept override { return begun_; }
  bool peer_gone() noexcept override { return gone; }
  void drop() noexcept override { gone = true; }

  int status = 0;
  net::Headers headers;
  std::string body;
  bool gone = false;

 private:
  bool begun_ = false;
};

// A watch that is open, and what it has sent so far.
class TestWatch {
 public:
  TestWatch(boost::asio::io_context& io, const net::HttpHandler& handler, net::HttpRequest request)
      : started_(start(io, handler(std::move(request), net::Peer{}, *writer_))) {
    run_ready(io);
  }
  bool ended() const { return started_.done(); }
  int status() const { return writer_->status; }
  const std::string& body() const { return writer_->body; }
  void leave() { writer_->gone = true; }
  std::vector<boost::json::object> frames() const {
    std::vector<boost::json::object> all;
    for (std::size_t at = 0; at < writer_->body.size();) {
      const std::size_t end = writer_->body.find('\n', at);
      all.push_back(boost::json::parse(writer_->body.substr(at, end - at)).as_object());
      at = end + 1;
    }
    return all;
  }
  // "ADDED a", "MODIFIED a", "BOOKMARK", ...
  std::vector<std::string> told() const {
    std::vector<std::string> lines;
    for (const boost::json::object& frame : frames()) {
      std::string line(frame.at("type").as_string());
      const boost::json::object& object = frame.at("object").as_object();
      const boost::json::value* metadata = object.if_contains("metadata");
      const boost::json::value* name = metadata ? metadata->as_object().if_contains("name") : nullptr;
      if (name) line += " " + std::string(name->as_string());
      lines.push_back(line);
    }
    return lines;
  }

 private:
  std::unique_ptr<RecordingWriter> writer_ = std::make_unique<RecordingWriter>();
  Started<void> started_;
};

class ApiServerHarness {
 public:
  explicit ApiServerHarness(ApiServerOptions options = {})
      : server(io.get_executor(), clock, random, store, access, std::move(options), nullptr) {
    for (const Role role : {Role::Admin, Role::Edit, Role::View, Role::Controller}) {
      User user;
      user.name = std::string(name_of(role)) + "-user";
      user.role = role;
      access.accept(Secret::copy_of(std::string("token-") + std::string(name_of(role))), user);
    }
    const Result<> prepared = run(io, clock, server.prepare(context()));
    if (!prepared) throw std::runtime_error("the server could not be prepared");
  }

  // A watch that a test left open ends before what it uses goes.
  ~ApiServerHarness() {
    run(io, clock, server.stop(Duration{0}));
    run_ready(io);
  }

  Context context() { return {clock, "test"}; }

  net::HttpRequest request(std::string method, std::string target, std::string body = {}, net::Headers headers = {}) {
    net::HttpRequest made;
    made.method = std::move(method);
    made.target = std::move(target);
    made.body = std::move(body);
    made.headers = std::move(headers);
    if (!made.headers.find("Authorization") && !token.empty()) made.headers.add("Authorization", "Bearer " + token);
    return made;
  }

  TestReply call(std::string method, std::string target, std::string body = {}, net::Headers headers = {}) {
    RecordingWriter writer;
    const net::HttpHandler handler = server.handler();
    auto started =
        start(io, handler(request(std::move(method), std::move(target), std::move(body), std::move(headers)), net::Peer{}, writer));
    run_until(io, clock, [&started] { return started.done(); });
    started.take();
    return {writer.status, writer.headers, writer.body};
  }
  TestReply get(std::string target, std::string accept = {}) {
    return accept.empty() ? call("GET", std::move(target)) : call("GET", std::move(target), {}, {{"Accept", std::move(accept)}});
  }
  TestReply post(std::string target, const boost::json::value& body) {
    return call("POST", std::move(target), boost::json::serialize(body), {{"Content-Type", "application/json"}});
  }
  TestReply put(std::string target, const boost::json::value& body) {
    return call("PUT", std::move(target), boost::json::serialize(body), {{"Content-Type", "application/json"}});
  }
  TestReply patch(std::string target, std::string_view kind, std::string body) {
    const std::string type = kind == "apply" ? "application/apply-patch+yaml" : "application/" + std::string(kind) + "-patch+json";
    return call("PATCH", std::move(target), std::move(body), {{"Content-Type", type}});
  }
  TestWatch watch(std::string target, std::string accept = {}) {
    net::Headers headers;
    if (!accept.empty()) headers.add("Accept", std::move(accept));
    return {io, server.handler(), request("GET", std::move(target), {}, std::move(headers))};
  }

  boost::asio::io_context io{1};
  VirtualClock clock{io.get_executor()};
  SeededRandom random{7};
  MemoryStore store{io.get_executor(), clock, Uid{"11111111-2222-4333-8444-555555555555"}};
  Access access;
  std::string token = "token-admin";
  ApiServer server;
};

inline const std::string collection = "/apis/keyturn.dev/v1alpha1/namespaces/default/secretrotations";
inline std::string item(std::string_view name) { return collection + "/" + std::string(name); }

// A SecretRotation that is valid.
inline boost::json::object rotation(std::string_view name) {
  return boost::json::parse(R"({"apiVersion":"keyturn.dev/v1alpha1","kind":"SecretRotation","metadata":{"namespace":"default","name":")" +
                            std::string(name) + R"("},"spec":{"environmentRef":{"name":"dev"},"revision":"r1",
    "secret":{"vaults":["main"],"name":"Db--Password","format":{"type":"AdoNetConnectionString","passwordField":"Password","userField":"User Id"}},"generator":{"type":"Password","length":32},
    "dependents":[{"system":"sql","principals":["a","b"]}],
    "consumers":[{"name":"app","reload":"Restart"},{"name":"web","reload":"Restart"}]}})")
      .as_object();
}

inline std::string version_of(const boost::json::object& object) {
  return std::string(object.at("metadata").as_object().at("resourceVersion").as_string());
}
inline std::int64_t generation_of(const boost::json::object& object) {
  return object.at("metadata").as_object().at("generation").as_int64();
}

}  // namespace keyturn::embedded
