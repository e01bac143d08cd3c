// What may wait. Every function that waits returns a Task and takes its parameters by value.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/error.h"

namespace keyturn {

template <class T = void>
using Task = boost::asio::awaitable<Result<T>>;  // may wait, may fail
template <class T = void>
using Awaitable = boost::asio::awaitable<T>;  // may wait, cannot fail

}  // namespace keyturn
