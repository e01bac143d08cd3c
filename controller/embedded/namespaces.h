// Namespaces as objects: the two that always exist, creating only inside an existing one, and their deletion with all they hold.
#pragma once

#include "base/context.h"
#include "base/task.h"
#include "controller/embedded/status_reply.h"
#include "controller/runtime/store.h"

namespace keyturn::embedded {

inline constexpr std::string_view system_namespace = "keyturn-system";
// These cannot be deleted.
bool is_permanent_namespace(std::string_view name);

// 404 when the namespace is missing, 403 while it is being deleted.
Awaitable<Answer<>> check_namespace(Context context, Store* store, const ResourceType* type, std::string ns, std::string name);

// Removes the namespace's object if it is being deleted and nothing is left in it. Otherwise nothing happens. Idempotent.
Awaitable<> finish_namespace(Context context, Store* store, std::string ns);

}  // namespace keyturn::embedded
