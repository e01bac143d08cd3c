// What a revision and its replicas are in the simulation.
#pragma once

#include <boost/json/object.hpp>
#include <list>
#include <optional>
#include <string>

#include "base/time.h"
#include "sim/apps/app_secrets.h"

namespace keyturn::sim {

struct Replica {
  std::string name;
  Instant created{};
  Instant starts{};  // when its containers run
  bool started = false;
  bool retiring = false;  // replaced, runs on for the overlap
  LoadedValues loaded;    // read once, at creation, and never again
  int restart_count = 0;  // of its containers, without the crash loop it may be in now
  std::optional<Instant> crashing_since;
};

struct Revision {
  std::string name;  // <app>--<suffix>
  Instant created{};
  bool active = true;
  bool ready = false;  // was ready once
  boost::json::object template_;
  std::list<Replica> replicas;
};

}  // namespace keyturn::sim
