// Heap memory for JSON that is overwritten when it is given back: for the stored bodies of Kubernetes Secrets, which are too many
// and too large for the locked arena.
#pragma once

#include <boost/json/storage_ptr.hpp>

namespace keyturn {

// Lives as long as the program; may be used by any thread.
boost::json::storage_ptr wiping_storage() noexcept;

}  // namespace keyturn
