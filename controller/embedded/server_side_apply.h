// Server-side apply: what a manager states is what it owns; what it stops stating goes away unless somebody else owns it.
#pragma once

#include <boost/json/object.hpp>

#include "controller/embedded/managed_fields.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

// Problems of an applied object that the schema shows: unknown fields, wrong types, list items without or with the same key.
// 422, worded as genuine servers word their 500.
Answer<> check_applied(const boost::json::object& desired, const ResourceType& type, std::string_view ns, std::string_view name);

// The live object (null = there is none) with `desired` applied, metadata.managedFields included. 409 lists the conflicts, unless
// `force` takes the fields away from their owners.
Answer<boost::json::object> apply_object(const boost::json::object* live, const boost::json::object& desired, const ResourceType& type,
                                         const FieldWriter& writer, bool force);

}  // namespace keyturn::embedded
