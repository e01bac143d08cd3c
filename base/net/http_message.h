// Requests and replies of HTTP/1.1, as both the client and the server see them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace keyturn::net {

// Names compare without regard to case; order and duplicates are kept.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);
  std::optional<std::string_view> find(std::string_view name) const;
  // Whether every name is a token and no value has a control character: nothing else may be written to a connection.
  bool well_formed() const;
  const std::vector<std::pair<std::string, std::string>>& fields() const noexcept { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  std::string body;
  std::shared_ptr<const Secret> secret_body;  // sent instead of `body`, in a write of its own from the arena
  std::shared_ptr<const Secret> bearer;       // becomes the Authorization header, never part of `headers`
  std::shared_ptr<const Secret> basic;        // "user:password", likewise
  bool secret_reply = false;                  // read the reply's body into the arena: HttpReply::secret_body
  std::size_t reply_bytes_max = std::size_t{4} << 20;
};

struct HttpReply {
  int status = 0;
  Headers headers;
  std::string body;
  Secret secret_body;
};

// Whether method, target and headers can be written to a connection without changing what a request means.
bool is_well_formed(const HttpRequest& request);

// The headers that say where a message ends. Client and server write these themselves and ignore the caller's.
bool is_framing_header(std::string_view name);

}  // namespace keyturn::net
