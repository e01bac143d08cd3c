// A container app job: only its definition. It has no revisions, and nothing here runs it.
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace keyturn::sim {

struct Job {
  std::string group;
  boost::json::object resource;  // as ARM shows it, so without values
};

}  // namespace keyturn::sim
