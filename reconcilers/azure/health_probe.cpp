#include "reconcilers/azure/health_probe.h"

#include <boost/asio/ip/address.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace keyturn {
namespace {

namespace json = boost::json;
namespace ip = boost::asio::ip;

bool allowed_v4(ip::address_v4 address, bool loopback_allowed) {
  const ip::address_v4 wire_server(ip::address_v4::bytes_type{168, 63, 129, 16});
  const auto bytes = address.to_bytes();
  const bool link_local = bytes[0] == 169 && bytes[1] == 254;
  const bool this_network = bytes[0] == 0;
  const bool broadcast = bytes[0] >= 240;
  if (address.is_loopback()) return loopback_allowed;
  return !link_local && !this_network && !broadcast && !address.is_multicast() && address != wire_server;
}

bool allowed_v6(const ip::address_v6& address, bool loopback_allowed) {
  if (address.is_v4_mapped()) return allowed_v4(ip::make_address_v4(ip::v4_mapped, address), loopback_allowed);
  if (address.is_loopback()) return loopback_allowed;
  return !address.is_unspecified() && !address.is_link_local() && !address.is_multicast() && !address.is_site_local();
}

bool equals(const json::value& value, const std::string& expected) {
  if (value.is_string()) return std::string_view(value.get_string()) == expected;
  return json::serialize(value) == expected;
}

bool matches(const std::string& body, const api::HealthCheck& check) {
  boost::system::error_code failed;
  const json::value root = json::parse(body, failed);
  if (failed) return false;
  const json::value* found = root.find_pointer({check.expect_path.data(), check.expect_path.size()}, failed);
  return found != nullptr && equals(*found, check.expect_equals);
}

}  // namespace

bool health_address_allowed(std::string_view address, api::Cloud cloud) {
  boost::system::error_code failed;
  const ip::address parsed = ip::make_address(std::string(address), failed);
  if (failed) return false;
  const bool loopback_allowed = cloud == api::Cloud::Custom;
  return parsed.is_v4() ? allowed_v4(parsed.to_v4(), loopback_allowed) : allowed_v6(parsed.to_v6(), loopback_allowed);
}

HealthProbe::HealthProbe(std::shared_ptr<net::HttpClient> http, api::HealthCheck check, api::Cloud cloud)
    : http_(std::move(http)), check_(std::move(check)) {
  http_->set_address_filter([cloud](std::string_view address) { return health_address_allowed(address, cloud); });
}

Awaitable<Health> HealthProbe::look(Context context) {
  const Result<net::Url> url = net::Url::parse(check_.url);
  if (!url) co_return Health::Unknown;
  net::HttpRequest request;
  request.target = url->target;
  request.headers.add("Accept", "application/json");
  request.headers.add("Cache-Control", "no-cache");
  request.reply_bytes_max = reply_bytes_max;
  const Result<net::HttpReply> reply = co_await http_->send(context.with_timeout(timeout), url->origin, std::move(request));
  if (!reply) co_return Health::Unknown;
  if (reply->status < 200 || reply->status > 299) co_return Health::Unhealthy;
  if (check_.expect_path.empty()) co_return Health::Healthy;
  co_return matches(reply->body, check_) ? Health::Healthy : Health::Unhealthy;
}

}  // namespace keyturn
