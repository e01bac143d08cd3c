// What a simulated service says instead of doing what it was asked.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace keyturn::sim {

// An answer of the service, not an error of the simulator: status and texts are what the real service sends.
struct Refusal {
  Refusal() = default;
  // A constructor, so that a number does not look like something a Refusal can be made of.
  Refusal(int status_code, std::string error_code, std::string text, std::string inner = {})
      : status(status_code), code(std::move(error_code)), message(std::move(text)), inner_code(std::move(inner)) {}

  int status = 500;
  std::string code;
  std::string message;
  std::string inner_code;  // Key Vault's innererror.code; empty = none
};

// Taking the value of a refused Answer is a programming error.
[[noreturn]] inline void throw_exception_from_error(const Refusal& refusal, const boost::source_location&) {
  throw std::logic_error("value taken from a refused answer: " + refusal.code);
}

template <class T = void>
using Answer = boost::system::result<T, Refusal>;

}  // namespace keyturn::sim
