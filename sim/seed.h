// Reading what exists: the seed document, and the parts of it that the admin API takes one by one.
#pragma once

#include <boost/json/value.hpp>

#include "base/secret_memory.h"
#include "sim/cloud.h"

namespace keyturn::sim {

// Adds what the document names. Refusal: 400 that names the place; what stood before it has been added by then.
Answer<> apply_seed(Cloud& cloud, const SecretJson& document, Instant now);

// One grant, for a vault or for ARM.
Answer<> apply_grant(Cloud& cloud, const boost::json::value& grant, const std::string& where, Instant now);

}  // namespace keyturn::sim
