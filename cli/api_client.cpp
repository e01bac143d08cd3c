#include "cli/api_client.h"

#include <google/protobuf/util/json_util.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/hash.h"

namespace keyturn {
namespace {

struct ApiError {
  std::string code;
  std::string message;
};

// {"code", "message"}, the API's way to say no; nothing when the reply is somebody else's.
std::optional<ApiError> api_error(std::string_view body) {
  boost::json::error_code ec;
  const boost::json::value value = boost::json::parse({body.data(), body.size()}, ec);
  const boost::json::object* object = ec ? nullptr : value.if_object();
  const boost::json::value* code = object ? object->if_contains("code") : nullptr;
  const boost::json::value* message = object ? object->if_contains("message") : nullptr;
  if (!code || !message || !code->is_string() || !message->is_string()) return std::nullopt;
  return ApiError{std::string(code->get_string()), std::string(message->get_string())};
}

// Cuts a stream into lines. A stream of another kind than ours is not buffered without end.
class Lines {
 public:
  explicit Lines(std::function<bool(std::string_view)> on_line) : on_line_(std::move(on_line)) {}

  bool feed(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t begin = 0;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      const std::string_view line = std::string_view(pending_).substr(begin, end - begin);
      begin = end + 1;
      if (!line.empty() && !on_line_(line)) return false;
    }
    pending_.erase(0, begin);
    return pending_.size() <= ApiClient::line_bytes_max;
  }

 private:
  std::function<bool(std::string_view)> on_line_;
  std::string pending_;
};

}  // namespace

bool from_json(std::string_view text, google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &message, options).ok();
}

std::string rotation_path(const ObjectKey& key, std::string_view part) {
  return "/v1alpha1/namespaces/" + percent_encode(key.ns) + "/rotations/" + percent_encode(key.name) + std::string(part);
}

std::string rotations_path(const std::string& ns, std::string_view suffix) {
  const std::string scope = ns.empty() ? "" : "namespaces/" + percent_encode(ns) + "/";
  return "/v1alpha1/" + scope + "rotations" + std::string(suffix);
}

Result<ApiClient> ApiClient::create(boost::asio::any_io_executor executor, Connection connection) {
  const auto trust = net::client_context({.ca_pem = connection.ca_pem});
  if (!trust) return Error{Errc::Invalid, "the certificate authority is not valid PEM"};
  return ApiClient(std::make_shared<net::HttpClient>(std::move(executor), *trust), std::move(connection));
}

net::HttpRequest ApiClient::request(std::string_view path) const {
  net::HttpRequest request;
  std::string base = connection_.server.target;
  while (!base.empty() && base.back() == '/') base.pop_back();
  request.target = base + std::string(path);
  request.headers.set("Accept", "application/json");
  request.bearer = connection_.token;
  request.reply_bytes_max = std::size_t{256} << 20;  // a list of 100,000 rotations
  return request;
}

Task<std::string> ApiClient::fetch(Context context, std::string path) {
  Result<net::HttpReply> reply = co_await http_->send(context, connection_.server.origin, request(path));
  if (!reply) co_return explain(reply.error());
  if (reply->status != 200) co_return refused(reply->status, reply->body);
  co_return std::move(reply->body);
}

Task<> ApiClient::watch(Context context, std::string path, std::function<bool(std::string_view)> on_line) {
  // The body of a refusal arrives like any other, before its status is known here: it is told by being an error.
  auto refusal = std::make_shared<std::string>();
  auto stopped = std::make_shared<bool>(false);
  auto lines = std::make_shared<Lines>([refusal, stopped, on_line = std::move(on_line)](std::string_view line) {
    if (api_error(line)) {
      *refusal = line;
      return true;
    }
    *stopped = !on_line(line);
    return !*stopped;
  });
  const auto feed = [lines](std::string_view bytes) { return lines->feed(bytes); };
  const Result<net::HttpReply> head = co_await http_->stream(context, connection_.server.origin, request(path), watch_idle, feed);
  if (*stopped) co_return ok();
  if (!head) co_return explain(head.error());
  if (head->status != 200) co_return refused(head->status, *refusal);
  co_return ok();
}

Error ApiClient::explain(const Error& error) const {
  const std::string server = connection_.server.origin.scheme + "://" + connection_.server.origin.authority();
  if (error.message.find("certificate") != std::string::npos)
    return {error.code, "the certificate of " + server + " cannot be trusted (" + error.message +
                            "): use the kubeconfig that this controller wrote, or name its authority with --certificate-authority"};
  if (error.code == Errc::OutcomeUnknown) return {error.code, server + " gave no complete answer (" + error.message + ")"};
  if (error.code == Errc::Invalid) return {error.code, server + " gave an answer that cannot be read (" + error.message + ")"};
  return {error.code, server + " cannot be reached (" + error.message + "): is the controller running, and is the address right?"};
}

Error ApiClient::not_ours() const {
  return {Errc::Invalid,
          connection_.server.origin.authority() + " does not serve Keyturn's API: name the controller's address with --server"};
}

Error ApiClient::refused(int status, std::string_view body) const {
  const std::string server = connection_.server.origin.scheme + "://" + connection_.server.origin.authority();
  if (status == 401)
    return {Errc::Denied, server + " does not accept the token: use the kubeconfig that this controller wrote, or --token-file"};
  const std::optional<ApiError> said = api_error(body);
  if (!said) return not_ours();
  if (status == 403) return {Errc::Denied, "you are not allowed to read this: ask for a role in the namespace"};
  if (status == 404) return {Errc::NotFound, said->message};
  return {status == 503 ? Errc::Unavailable : Errc::Internal, server + " answered " + said->code + ": " + said->message};
}

}  // namespace keyturn
