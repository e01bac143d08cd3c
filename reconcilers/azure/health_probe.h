// The external health check of an application: what people would see with a browser, asked from here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/rotation_environment.h"
#include "base/context.h"
#include "base/net/http_client.h"
#include "base/task.h"

namespace keyturn {

// Unknown: no answer came, or its address may not be asked. It never counts for or against an application.
enum class Health : std::uint8_t { Healthy, Unhealthy, Unknown };

// True when a health check may connect to `address` (numeric). Refused: unspecified, multicast, link-local (so the metadata service),
// Azure's wire server 168.63.129.16, and loopback; with cloud Custom, where everything runs on one machine, loopback is allowed.
bool health_address_allowed(std::string_view address, api::Cloud cloud);

class HealthProbe {
 public:
  static constexpr std::size_t reply_bytes_max = std::size_t{64} << 10;
  static constexpr Duration timeout{2'000};

  // `http` is for health checks only: its address filter is set here, by health_address_allowed.
  HealthProbe(std::shared_ptr<net::HttpClient> http, api::HealthCheck check, api::Cloud cloud);

  // One GET without credentials. Healthy: 2xx and, with an expectation, the JSON value at the pointer equals it. Redirects are not
  // followed and are Unhealthy. The body is dropped.
  Awaitable<Health> look(Context context);

 private:
  std::shared_ptr<net::HttpClient> http_;
  api::HealthCheck check_;
};

}  // namespace keyturn
