#include "controller/embedded/namespaces.h"

#include <fmt/format.h>

#include "controller/embedded/object_strategy.h"

namespace keyturn::embedded {
namespace {

const Resource namespaces{"", "namespaces"};

}  // namespace

bool is_permanent_namespace(std::string_view name) { return name == "default" || name == system_namespace; }

Awaitable<Answer<>> check_namespace(Context context, Store* store, const ResourceType* type, std::string ns, std::string name) {
  const Result<StoredPtr> found = co_await store->get(context, namespaces, ObjectKey{"", ns});
  if (!found && found.error().code == Errc::NotFound) co_return namespace_not_found(ns);
  if (!found) co_return store_failure(found.error(), *type, ns);
  if (!is_deleting((*found)->body)) co_return done();
  co_return forbidden_message(
      fmt::format("{} \"{}\" is forbidden: unable to create new content in namespace {} because it is being terminated", type->qualified(),
                  name, ns),
      boost::json::object{{"name", name}, {"group", type->group}, {"kind", type->plural}});
}

Awaitable<> finish_namespace(Context context, Store* store, std::string ns) {
  const Result<StoredPtr> found = co_await store->get(context, namespaces, ObjectKey{"", ns});
  if (!found || !is_deleting((*found)->body)) co_return;
  for (const ResourceType& type : resource_types()) {
    if (!type.namespaced) continue;
    const Result<ObjectList> left = co_await store->list(context, type.stored_as(), ListOptions{.ns = ns, .limit = 1});
    if (!left || !left->items.empty()) co_return;
  }
  // Losing the race means that somebody else removed it or that it changed: the next removal looks again.
  const Result<StoredPtr> removed = co_await store->remove(context, namespaces, ObjectKey{"", ns}, (*found)->version);
  (void)removed;
}

}  // namespace keyturn::embedded
