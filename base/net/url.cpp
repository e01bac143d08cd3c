#include "base/net/url.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace keyturn::net {
namespace {

constexpr std::size_t url_bytes_max = 8192;
constexpr std::size_t host_bytes_max = 253;  // RFC 1035

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; });
}

// Resolvers read names whose last part is such a number, "127.1" or "0x7f.1", as addresses.
bool is_number(std::string_view label) {
  if (std::ranges::all_of(label, is_digit)) return true;
  if (!label.starts_with("0x")) return false;
  return std::ranges::all_of(label.substr(2), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

// A DNS name, lower case, that no resolver takes for an address.
bool is_dns_name(std::string_view host) {
  if (host.size() > host_bytes_max) return false;
  std::string_view last;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return !is_number(last);
}

// Brackets mark an IPv6 address, which stands nowhere else. Zones ("%eth0") mean something on this host only.
bool is_host(const std::string& host, bool bracketed) {
  boost::system::error_code ec;
  if (bracketed) {
    boost::asio::ip::make_address_v6(host, ec);
    return !ec && host.find('%') == std::string::npos;
  }
  boost::asio::ip::make_address_v4(host, ec);
  return !ec || is_dns_name(host);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  return !ec && address.is_loopback();
}

Error invalid(const char* why) { return {Errc::Invalid, why}; }

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stopped != end || port == 0) return invalid("URL has a bad port");
  return port;
}

// "host", "host:port", "[v6]:port".
Result<Origin> parse_authority(std::string scheme, std::string_view text) {
  Origin origin{.scheme = std::move(scheme), .host = {}, .port = 0};
  origin.port = origin.scheme == "https" ? 443 : 80;
  std::string_view host = text.substr(0, text.rfind(':'));
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return invalid("URL has a bad host");
    host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  } else {
    text.remove_prefix(host.size());
  }
  if (!text.empty()) {
    if (text.front() != ':') return invalid("URL has a bad host");
    const auto port = parse_port(text.substr(1));
    if (!port) return port.error();
    origin.port = *port;
  }
  for (const char c : host) origin.host += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!is_host(origin.host, bracketed)) return invalid("URL has a bad host");
  return origin;
}

}  // namespace

std::string Origin::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const bool usual = port == (scheme == "https" ? 443 : 80);
  return usual ? text : text + ":" + std::to_string(port);
}

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > url_bytes_max) return invalid("URL is too long");
  if (!is_printable(text)) return invalid("URL has a control character, a space or a byte beyond ASCII");
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return invalid("URL has no scheme");
  const std::string scheme(text.substr(0, colon));
  if (scheme != "https" && scheme != "http") return invalid("URL is not https");
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos) return invalid("URL has a fragment");
  const std::size_t path = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, path);
  if (authority.find('@') != std::string_view::npos) return invalid("URL has user information");
  auto origin = parse_authority(scheme, authority);
  if (!origin) return origin.error();
  if (scheme == "http" && !is_loopback(origin->host)) return invalid("URL is not https");
  std::string target(path == std::string_view::npos ? "/" : text.substr(path));
  if (target.front() != '/') target.insert(0, 1, '/');
  return Url{.origin = *std::move(origin), .target = std::move(target)};
}

}  // namespace keyturn::net
