// Every order of the steps of a rotation, free of faults except that consumers may restart by themselves: which of them are safe?
#pragma once

#include <cstddef>

namespace keyturn::model {

struct OrderCount {
  std::size_t orders = 0;
  std::size_t safe = 0;        // keep I1 to I5 at every instant, and end well
  std::size_t converging = 0;  // never publish an unverified value, and end well
};

OrderCount orders_of_one_live_credential();   // publish, set, restart two consumers
OrderCount orders_of_two_live_credentials();  // and add instead of set, and remove the old one

}  // namespace keyturn::model
