// ARM's REST surface: container apps, their revisions and replicas, and the operations that writes become.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "base/net/http_message.h"
#include "base/random.h"
#include "sim/access.h"
#include "sim/apps/apps.h"
#include "sim/apps/job.h"
#include "sim/arm/arm_throttle.h"
#include "sim/entra/tokens.h"
#include "sim/request.h"
#include "sim/route.h"

namespace keyturn::sim {

inline constexpr std::string_view arm_audience = "https://management.azure.com";

class ArmService {
 public:
  struct Directory {
    const std::string& tenant;
    const std::string& subscription;
  };
  ArmService(Apps& apps, const std::vector<Job>& jobs, Tokens& tokens, Access& access, ArmThrottle& throttle, Random& random,
             Directory directory)
      : apps_(apps), jobs_(jobs), tokens_(tokens), access_(access), throttle_(throttle), random_(random), directory_(directory) {}

  static Route route(const Request& request);

  // Sets `principal` when the token is known.
  net::HttpReply handle(const Request& request, const Route& route, const std::string& authority, Instant now, std::string& principal);

 private:
  struct Call;
  net::HttpReply answer(const Call& call, const std::string& authority, std::string& principal);
  Answer<net::HttpReply> perform(const Call& call, std::string_view principal);
  Answer<net::HttpReply> perform_on_app(const Call& call, App& app);
  Answer<net::HttpReply> patch(const Call& call, App& app);
  Answer<net::HttpReply> list_apps(const Call& call) const;
  Answer<net::HttpReply> list_jobs(const Call& call) const;
  Answer<net::HttpReply> page_of(const Call& call, boost::json::array items) const;
  net::HttpReply list_permissions(const Call& call, std::string_view principal) const;
  Answer<net::HttpReply> on_revision(const Call& call, App& app);
  Answer<net::HttpReply> follow_operation(const Call& call) const;
  net::HttpReply accepted(const Call& call, const App& app, const std::string& operation) const;

  Apps& apps_;
  const std::vector<Job>& jobs_;
  Tokens& tokens_;
  Access& access_;
  ArmThrottle& throttle_;
  Random& random_;
  Directory directory_;
};

}  // namespace keyturn::sim
