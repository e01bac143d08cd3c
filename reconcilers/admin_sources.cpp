#include "reconcilers/admin_sources.h"

#include "reconcilers/azure/secret_file.h"

namespace keyturn {

Task<Secret> AdminFromFile::read(Context) {
  auto secret = read_secret_file(path_);
  if (!secret) co_return Error{Errc::Denied, "the administrator's credential file cannot be read"};
  co_return std::move(*secret);
}

Task<Secret> AdminFromVault::read(Context context) {
  auto latest = co_await vault_->read_latest(std::move(context), secret_);
  if (!latest) co_return latest.error();
  if (!latest->facts.latest) co_return Error{Errc::Denied, "the administrator's credential cannot be read in its vault"};
  co_return std::move(latest->value);
}

}  // namespace keyturn
