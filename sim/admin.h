// The admin API: faults, seed, time, grants and what there is to see. Plain HTTP on loopback; no value ever comes out.
#pragma once

#include <string>

#include "base/net/http_message.h"
#include "sim/cloud.h"
#include "sim/request.h"

namespace keyturn::sim {

class Admin {
 public:
  // A jump of the clock makes everything happen that was due, so its size is bounded.
  static constexpr std::chrono::hours advance_max{7 * 24};

  explicit Admin(Cloud& cloud) : cloud_(cloud) {}

  // Every failure is a 4xx with {"error":{"code","message"}}; the message names the place and never a value.
  net::HttpReply handle(const Request& request);

 private:
  Answer<net::HttpReply> perform(const Request& request, Instant now);
  Answer<net::HttpReply> read(const Request& request, Instant now);
  Answer<net::HttpReply> change(const Request& request, Instant now);
  Answer<net::HttpReply> change_app(const Request& request, App& app, Instant now);
  Answer<net::HttpReply> log(const Request& request) const;
  Answer<net::HttpReply> seed(const Request& request, Instant now);
  Answer<net::HttpReply> advance(const Request& request);
  Answer<net::HttpReply> remove_fault(const std::string& id);

  Cloud& cloud_;
};

}  // namespace keyturn::sim
