#include "controller/git_objects.h"

#include "api/rotation_run.h"
#include "api/schema.h"

namespace keyturn {
namespace {

constexpr std::string_view git_manager = "keyturn-git";

}  // namespace

Task<> GitObjects::apply(Context context, boost::json::object object) {
  const boost::json::value* kind = object.if_contains("kind");
  const bool journal = kind && *kind == boost::json::value(api::RotationRun::kind);
  if (journal) co_return Error{Errc::Invalid, "a RotationRun is written by the controller alone; take it out of the repository"};
  object.erase("status");
  auto applied = co_await writer_.apply(std::move(context), std::move(object), std::string(git_manager));
  if (!applied) co_return applied.error();
  co_return ok();
}

Task<> GitObjects::remove(Context context, std::string kind, ObjectKey key) {
  for (const api::KindSchema& known : api::kinds()) {
    if (known.kind != kind) continue;
    co_return co_await writer_.remove(std::move(context), Resource{std::string(api::group), known.plural}, std::move(key), 0);
  }
  co_return Error{Errc::Invalid, "only Keyturn's own kinds are pruned"};
}

}  // namespace keyturn
