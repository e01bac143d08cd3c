// Questions about rights: what `kubectl auth can-i` and `kubectl auth whoami` post. The answers come from the same Access that enforces.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "controller/embedded/access.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

// `plural` is selfsubjectaccessreviews, selfsubjectrulesreviews, subjectaccessreviews or selfsubjectreviews; 404 otherwise.
Answer<boost::json::object> review(const Access& access, const User& user, std::string_view group, std::string_view plural,
                                   const boost::json::object& body);

}  // namespace keyturn::embedded
