// Events have two APIs over one store: core/v1, which is the stored form, and events.k8s.io/v1 with renamed fields.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "api/validate.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

// The stored object as the type's clients see it, and back. Types other than events.k8s.io pass unchanged.
boost::json::object present(const ResourceType& type, boost::json::object stored);
boost::json::object to_stored(const ResourceType& type, boost::json::object presented);

// The first of eventTime and series.lastObservedTime that does not have exactly six fraction digits; empty = they are fine. Genuine
// servers cannot even decode such an event.
std::string malformed_time(const boost::json::object& object);

// The rules of an event in the form of its type.
void check_event(const ResourceType& type, const boost::json::object& object, api::Violations& violations);

}  // namespace keyturn::embedded
