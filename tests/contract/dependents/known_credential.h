// An administrator's password that a test knows.
#pragma once

#include <memory>
#include <string>

#include "reconcilers/wire/admin_credential.h"

namespace keyturn {

class KnownCredential final : public AdminCredential {
 public:
  explicit KnownCredential(std::string value) : value_(std::move(value)) {}
  Task<Secret> read(Context) override { co_return Secret::copy_of(value_); }

 private:
  const std::string value_;
};

inline std::shared_ptr<AdminCredential> known_credential(std::string value) { return std::make_shared<KnownCredential>(std::move(value)); }

}  // namespace keyturn
