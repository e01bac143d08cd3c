// The controller's HTTP/JSON API, seen from the outside. Errors come out as sentences for people, which say what to do.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.h"
#include "base/id.h"
#include "base/net/http_client.h"
#include "base/task.h"
#include "cli/kubeconfig.h"

namespace google::protobuf {
class Message;
}

namespace keyturn {

// Fills `message` from protobuf's JSON mapping; fields of a newer server are ignored. False when it is not that.
bool from_json(std::string_view text, google::protobuf::Message& message);
// The path of one rotation, its names percent-encoded; `part` is "", "/plan" or "/history".
std::string rotation_path(const ObjectKey& key, std::string_view part);
// The path of a list; an empty namespace means all. `suffix` is "" or ":watch".
std::string rotations_path(const std::string& ns, std::string_view suffix);

class ApiClient {
 public:
  static constexpr Duration watch_idle{90'000};  // the server says something at least every 30 s
  static constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

  // Errors: Invalid when the certificate authority cannot be read.
  static Result<ApiClient> create(boost::asio::any_io_executor executor, Connection connection);

  // GET of a path under /v1alpha1, read as a message of rotation.proto.
  template <class Message>
  Task<Message> get(Context context, std::string path);
  // GET of a watch: each line that is not empty, until the server ends the stream (ok) or `on_line` returns false (ok).
  Task<> watch(Context context, std::string path, std::function<bool(std::string_view)> on_line);

  const Connection& connection() const noexcept { return connection_; }

 private:
  ApiClient(std::shared_ptr<net::HttpClient> http, Connection connection) : http_(std::move(http)), connection_(std::move(connection)) {}
  Task<std::string> fetch(Context context, std::string path);
  Error not_ours() const;
  net::HttpRequest request(std::string_view path) const;
  Error explain(const Error& error) const;
  Error refused(int status, std::string_view body) const;

  std::shared_ptr<net::HttpClient> http_;
  Connection connection_;
};

template <class Message>
Task<Message> ApiClient::get(Context context, std::string path) {
  const Result<std::string> text = co_await fetch(context, std::move(path));
  if (!text) co_return text.error();
  Message message;
  if (!from_json(*text, message)) co_return not_ours();
  co_return message;
}

}  // namespace keyturn
