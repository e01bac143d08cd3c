// Inside of validation: what a schema alone can tell about a value.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "api/validate.h"

namespace keyturn::api {

// Appends every violation of `schema` by `value`, which stands at `field` ("spec.generator").
void check_structure(const Schema& schema, const boost::json::value& value, const std::string& field, Violations& violations);

// A violation in the words of the Kubernetes API: `Invalid value: VALUE: DETAIL`.
Violation invalid(std::string field, const boost::json::value& value, const std::string& detail);
Violation required(std::string field);

// By field, and several of one field by their message: the same object always gives the same list.
void sort_by_field(Violations& violations);

}  // namespace keyturn::api
