// Where the password of an administrating login comes from: a file that only the controller can read, or a secret of a vault.
#pragma once

#include <memory>
#include <string>

#include "reconcilers/rotation/systems.h"
#include "reconcilers/wire/admin_credential.h"

namespace keyturn {

// The file's first line. Errors: Denied (missing, unreadable, or readable by others).
class AdminFromFile final : public AdminCredential {
 public:
  explicit AdminFromFile(std::string path) : path_(std::move(path)) {}
  Task<Secret> read(Context context) override;

 private:
  std::string path_;
};

// What a versionless read returns. Errors: Denied (refused by the vault), Unavailable.
class AdminFromVault final : public AdminCredential {
 public:
  AdminFromVault(std::shared_ptr<SecretVault> vault, std::string secret) : vault_(std::move(vault)), secret_(std::move(secret)) {}
  Task<Secret> read(Context context) override;

 private:
  std::shared_ptr<SecretVault> vault_;
  std::string secret_;
};

}  // namespace keyturn
