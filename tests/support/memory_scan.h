// Looks for a value in the whole memory of this process: the proof that a secret left nothing behind.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace keyturn {

// A value that is only ever held masked, except inside `reveal`.
class Canary {
 public:
  static constexpr std::size_t size = 40;

  explicit Canary(Random& random);
  // The value in the arena.
  Secret reveal() const;
  // How often the value lies in writable memory, the arena included.
  std::size_t copies() const;

 private:
  std::string masked_;
};

}  // namespace keyturn
