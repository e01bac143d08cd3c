// keyturn-api-load: GETs one path over several kept-alive connections for some seconds and prints the figures as JSON.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/net/http_client.h"

namespace keyturn::bench {
namespace {

struct Load {
  net::Origin origin;
  net::HttpRequest request;
  Duration how_long{};
  std::vector<double> milliseconds;  // of each answered request
  std::uint64_t bytes = 0;
  std::uint64_t failures = 0;
};

// One connection's worth: the next request leaves when the answer to the last one is complete.
Awaitable<> connection(net::HttpClient* client, Clock* clock, Load* load) {
  const BootInstant until = clock->boot_now() + load->how_long;
  while (clock->boot_now() < until) {
    const auto started = std::chrono::steady_clock::now();
    const Context context = Context(*clock, "load").with_timeout(std::chrono::seconds(60));
    const Result<net::HttpReply> reply = co_await client->send(context, load->origin, load->request);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
    if (!reply || reply->status != 200) {
      ++load->failures;
      if (!reply) co_return;
    } else {
      load->milliseconds.push_back(took.count());
      load->bytes += reply->body.size();
    }
  }
}

double percentile(std::vector<double>& values, std::size_t percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() * percent / 100, values.size() - 1)];
}

std::string text_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int print(Load& load, double seconds) {
  const double answered = double(load.milliseconds.size());
  const boost::json::object figures{{"requests_per_second", answered / seconds},
                                    {"p50_ms", percentile(load.milliseconds, 50)},
                                    {"p99_ms", percentile(load.milliseconds, 99)},
                                    {"reply_bytes", answered == 0 ? 0 : double(load.bytes) / answered},
                                    {"failures", load.failures}};
  std::puts(boost::json::serialize(figures).c_str());
  return load.milliseconds.empty() ? 1 : 0;
}

int run(const net::Url& url, const std::string& ca_pem, Secret token, int connections, int seconds) {
  const auto trust = net::client_context({.ca_pem = ca_pem, .client_certificate_pem = {}, .client_key_pem = nullptr});
  if (!trust) {
    std::fputs("keyturn-api-load: the authority's file is no PEM\n", stderr);
    return 2;
  }
  boost::asio::io_context io(1);
  SystemClock clock(io.get_executor());
  net::HttpClient client(io.get_executor(), *trust);
  Load load;
  load.origin = url.origin;
  load.request.target = url.target;
  load.request.bearer = std::make_shared<const Secret>(std::move(token));
  load.request.reply_bytes_max = std::size_t{256} << 20;
  load.how_long = std::chrono::seconds(seconds);
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < connections; ++i) boost::asio::co_spawn(io, connection(&client, &clock, &load), boost::asio::detached);
  io.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  return print(load, took.count());
}

}  // namespace
}  // namespace keyturn::bench

int main(int argc, char** argv) {
  using namespace keyturn;
  int connections = 0;
  int seconds = 0;
  const auto number = [](const char* text, int& value) {
    return std::from_chars(text, text + std::char_traits<char>::length(text), value).ec == std::errc();
  };
  if (argc != 6 || !number(argv[4], connections) || !number(argv[5], seconds) || connections < 1 || seconds < 1) {
    std::fputs("usage: keyturn-api-load URL CA_FILE TOKEN_FILE CONNECTIONS SECONDS\n", stderr);
    return 2;
  }
  const Result<net::Url> url = net::Url::parse(argv[1]);
  if (!url || connections > static_cast<int>(net::HttpClient::idle_connections_max)) {
    std::fputs("keyturn-api-load: the URL is not one, or there are more connections than the client keeps alive\n", stderr);
    return 2;
  }
  std::string token = bench::text_of(argv[3]);
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return bench::run(*url, bench::text_of(argv[2]), Secret::copy_of(token), connections, seconds);
}
