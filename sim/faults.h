// Faults on demand: which request is met by what, how often, and since when.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/net/http_message.h"
#include "base/time.h"
#include "sim/refusal.h"
#include "sim/route.h"

namespace keyturn::sim {

enum class FaultAction {
  Status,             // this answer, without effect
  DropBefore,         // no answer, without effect
  DropAfterEffect,    // no answer, with effect
  StatusAfterEffect,  // this answer, with effect
  ApplyLate,          // no answer; the effect comes later
  Delay,              // effect and answer, later; combines with the others
  ReadOnly,           // a vault in region failover: reads work, writes do not
  Ignore,             // a restart that answers 200 and does nothing
};
std::string_view name_of(FaultAction action) noexcept;

struct Fault {
  struct Match {
    Service service = Service::None;  // None, and empty texts, match everything
    std::string operation;
    std::string vault;
    std::string secret;
    std::string app;
    bool operator()(const Route& route) const;
  };

  std::string id;
  Match match;
  FaultAction action = FaultAction::Status;
  std::int64_t count = 1;  // how often it still acts; 0 = until removed
  std::int64_t skip = 0;   // so many matching requests pass first
  int status = 503;
  std::string code;
  std::string message;
  std::string inner_code;
  std::optional<std::string> body;  // sent as it is, instead of an error object
  net::Headers headers;
  Duration delay{0};
  Duration after{0};
  Duration hold{0};
  std::optional<Instant> until;

  // The answer of Status and its relatives, in the shape of the service it is for.
  net::HttpReply reply(Service service) const;
};

class Faults {
 public:
  // Gives the fault its id and returns it.
  std::string add(Fault fault);
  bool remove(std::string_view id);
  void clear() { faults_.clear(); }
  const std::vector<Fault>& all() const noexcept { return faults_; }

  // What meets this request: every delay that matches, and the first other fault that does.
  struct Met {
    Duration delay{0};
    std::optional<Fault> fault;
  };
  Met meet(const Route& route, Instant now);

 private:
  std::vector<Fault> faults_;
  int sequence_ = 0;
};

// A fault as it is written in a request of the admin API. Refusal: 400 that names the member.
Answer<Fault> read_fault(const boost::json::value& value, Instant now);
boost::json::object shown(const Fault& fault);

}  // namespace keyturn::sim
