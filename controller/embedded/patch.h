// The two standard patches: RFC 7386 (merge) and RFC 6902 (JSON patch).
#pragma once

#include <boost/json/value.hpp>

#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

constexpr std::size_t json_patch_operations_max = 10'000;
constexpr std::size_t json_patch_copied_bytes_max = std::size_t{3} << 20;

// Null deletes, objects merge, anything else replaces.
void merge_patch(boost::json::value& target, const boost::json::value& patch);

// All or nothing; `target` is unchanged when it fails. 400 malformed, 413 too many operations, 422 an operation does not apply.
Answer<> json_patch(boost::json::value& target, const boost::json::value& patch);

// Strategic merge as far as built-in kinds need it: `$patch: delete|replace`, `$deleteFromPrimitiveList/NAME`; finalizers are added to,
// other lists replaced; the directives that only say an order are dropped.
void strategic_merge_patch(boost::json::value& target, const boost::json::value& patch);

}  // namespace keyturn::embedded
