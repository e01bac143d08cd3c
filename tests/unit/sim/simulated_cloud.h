// A whole simulated cloud without sockets: virtual time, seeded chance, and requests as plain function calls.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "base/secret_memory.h"
#include "sim/admin.h"
#include "sim/cloud.h"
#include "sim/seed.h"
#include "tests/support/seeded_random.h"
#include "tests/support/virtual_clock.h"

namespace keyturn::sim {

struct Reply {
  int status = 0;
  net::Headers headers;
  std::string text;
  boost::json::value body;  // null when the text is no JSON

  const boost::json::value& at(std::string_view pointer) const { return body.at_pointer(pointer); }
  std::string text_at(std::string_view pointer) const { return std::string(at(pointer).as_string()); }
  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
  std::string error_code() const { return text_at("/error/code"); }
  std::string inner_code() const { return text_at("/error/innererror/code"); }
};

class SimulatedCloud {
 public:
  explicit SimulatedCloud(double speed = 1)
      : cloud_(shifted_, random_, {.speed = speed, .authority = "", .main_authority = "localhost:8443"}), admin_(cloud_) {}

  Cloud& cloud() { return cloud_; }
  Instant now() { return cloud_.settle(); }
  void advance(Duration by) {
    clock_.advance(by);
    cloud_.settle();
  }

  // Empty when the seed was taken, else the message.
  std::string seed(const std::string& text) {
    const auto document = SecretJson::parse(Secret::copy_of(text));
    if (!document) return "not JSON";
    const auto applied = apply_seed(cloud_, *document, now());
    return applied ? std::string() : applied.error().message;
  }

  std::string token(const std::string& audience, const std::string& client = "keyturn",
                    const std::string& tenant = std::string(default_tenant)) {
    const Reply reply = send("POST", "localhost:8443", "/" + tenant + "/oauth2/v2.0/token",
                             "grant_type=client_credentials&client_id=" + client + "&client_secret=s&scope=" + audience + "/.default", "");
    return reply.status == 200 ? reply.text_at("/access_token") : std::string();
  }

  Reply send(const std::string& method, const std::string& host, const std::string& target, const std::string& body,
             const std::string& bearer, net::Headers headers = {}) {
    net::HttpRequest http = make_request(method, host, target, body, bearer, std::move(headers));
    const auto request = read_request(http);
    if (!request) return {.status = 400, .headers = {}, .text = "", .body = nullptr};
    const Instant at = now();
    std::string principal;
    return read(cloud_.perform(*request, cloud_.route(*request, ""), at, principal));
  }

  // Of the vault "main", with a token of its own; `target` begins behind the host.
  Reply vault(const std::string& method, const std::string& target, const std::string& body = "", const std::string& client = "keyturn") {
    return send(method, "main.vault.azure.net", target, body, token("https://vault.azure.net", client));
  }

  // Of ARM, `path` behind .../containerApps; the api-version is added.
  Reply arm(const std::string& method, const std::string& path, const std::string& body = "", const std::string& client = "keyturn",
            const std::string& content_type = "application/json") {
    return send(method, "localhost:8443", apps_path() + path + "?api-version=2025-01-01", body,
                token("https://management.azure.com", client), {{"Content-Type", content_type}});
  }
  Reply get_url(const std::string& url) {
    const std::size_t path = url.find('/', 8);
    return send("GET", "localhost:8443", url.substr(path), "", token("https://management.azure.com"));
  }
  static std::string apps_path() {
    return "/subscriptions/" + std::string(default_subscription) + "/resourceGroups/erp/providers/Microsoft.App/containerApps";
  }

  Reply admin(const std::string& method, const std::string& target, const std::string& body = "", net::Headers headers = {}) {
    net::HttpRequest http = make_request(method, "127.0.0.1", target, body, "", std::move(headers));
    const auto request = read_request(http);
    return read(admin_.handle(*request));
  }

  static net::HttpRequest make_request(const std::string& method, const std::string& host, const std::string& target,
                                       const std::string& body, const std::string& bearer, net::Headers headers) {
    net::HttpRequest http;
    http.method = method;
    http.target = target;
    http.headers = std::move(headers);
    http.headers.add("Host", host);
    if (!bearer.empty()) http.headers.add("Authorization", "Bearer " + bearer);
    http.body = body;
    return http;
  }

  static Reply read(net::HttpReply reply) {
    Reply out;
    out.status = reply.status;
    out.headers = reply.headers;
    out.text = reply.secret_body.empty() ? reply.body : reply.secret_body.expose([](std::string_view bytes) { return std::string(bytes); });
    boost::system::error_code failed;
    out.body = boost::json::parse(out.text, failed);
    if (failed) out.body = nullptr;
    return out;
  }

 private:
  VirtualClock clock_;
  ShiftedClock shifted_{clock_};
  SeededRandom random_{7};
  Cloud cloud_;
  Admin admin_;
};

// One vault "main" with the secret "redis", one app "orders" that refers to it without a version.
inline constexpr const char* plain_seed = R"({
  "vaults": [{"name": "main", "secrets": [{"name": "redis", "value": "first"}]}],
  "apps": [{"name": "orders", "resourceGroup": "erp", "replicas": 2,
            "secrets": [{"name": "redis", "keyVaultUrl": "{vault:main}/secrets/redis", "identity": "system"}]}]})";

inline std::string version_of(const Reply& reply) {
  const std::string id = reply.text_at("/id");
  return id.substr(id.rfind('/') + 1);
}

// The same secrets array back, as a client does that wants a sync.
inline constexpr const char* repatch_body =
    R"({"properties":{"configuration":{"secrets":[{"name":"redis","keyVaultUrl":"https://main.vault.azure.net/secrets/redis","identity":"system"}]}}})";

}  // namespace keyturn::sim
