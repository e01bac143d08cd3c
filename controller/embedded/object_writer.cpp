#include "controller/embedded/object_writer.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

Error error_of(const Failure& failure) {
  switch (failure.code) {
    case 404:
      return {Errc::NotFound, "the object does not exist"};
    case 409:
      return {Errc::Conflict, failure.reason == "AlreadyExists" ? "the object exists already" : "the object has changed"};
    case 403:
      return {Errc::Denied, failure.message};
    case 410:
      return {Errc::Expired, "the version is too old"};
    case 429:
      return {Errc::Throttled, "too many requests"};
    case 503:
      return {Errc::Unavailable, failure.message};
    case 400:
    case 413:
    case 422:
      return {Errc::Invalid, failure.message};
    default:
      return {Errc::Internal, "the write failed unexpectedly"};
  }
}

const ResourceType* type_of(const json::object& object) {
  const json::value* version = object.if_contains("apiVersion");
  const json::value* kind = object.if_contains("kind");
  if (!version || !kind || !version->is_string() || !kind->is_string()) return nullptr;
  for (const ResourceType& type : resource_types())
    if (version->get_string() == type.group_version() && kind->get_string() == type.kind) return &type;
  return nullptr;
}

const ResourceType* type_of(const Resource& resource) {
  for (const ResourceType& type : resource_types())
    if (type.group == resource.group && type.plural == resource.plural) return &type;
  return nullptr;
}

ObjectKey key_of(const ResourceType& type, const json::object& object) {
  std::string ns(metadata_text(object, "namespace"));
  if (type.namespaced && ns.empty()) ns = "default";
  return {type.namespaced ? ns : std::string{}, std::string(metadata_text(object, "name"))};
}

Error unknown_kind() { return {Errc::Invalid, "this kind is not served"}; }

WriteOptions strict(std::string field_manager) {
  return {.force = true, .field_manager = std::move(field_manager), .validation = FieldValidation::Strict};
}

// The process does what it was built to do; its roles are checked where its users come in. Git writes what people want, so that the
// controller's own limits do not fit here.
User process_user() {
  User user = controller_user();
  user.role = Role::Admin;
  return user;
}

json::array finalizers_of(const StoredObject& object) {
  const json::value* list = find_path(object.body, "metadata.finalizers");
  return list && list->is_array() ? list->get_array() : json::array{};
}

}  // namespace

Task<StoredPtr> ObjectWriter::stored(Context context, const ResourceType* type, ObjectKey key, Answer<Written> written) {
  if (!written) co_return error_of(written.error());
  const Result<StoredPtr> object = co_await store_.get(context, type->stored_as(), key);
  co_return object;
}

Task<StoredPtr> ObjectWriter::apply(Context context, json::object desired, std::string field_manager) {
  const ResourceType* type = type_of(desired);
  if (!type) co_return unknown_kind();
  const ObjectKey key = key_of(*type, desired);
  ChangeRequest request{ApplyPatch{std::move(desired)}, {}};
  Answer<Written> written =
      co_await pipeline_.change(context, type, key, Part::Main, std::move(request), strict(std::move(field_manager)), process_user());
  Result<StoredPtr> result = co_await stored(context, type, key, std::move(written));
  co_return result;
}

Task<StoredPtr> ObjectWriter::create(Context context, json::object object, std::string field_manager) {
  const ResourceType* type = type_of(object);
  if (!type) co_return unknown_kind();
  const ObjectKey key = key_of(*type, object);
  Answer<Written> written =
      co_await pipeline_.create(context, type, key.ns, std::move(object), {}, strict(std::move(field_manager)), process_user());
  const std::string name(written ? metadata_text(written->object, "name") : std::string_view(key.name));
  Result<StoredPtr> result = co_await stored(context, type, ObjectKey{key.ns, name}, std::move(written));
  co_return result;
}

Task<StoredPtr> ObjectWriter::update_status(Context context, Resource resource, ObjectKey key, json::value status,
                                            std::string field_manager, ResourceVersion expected) {
  const ResourceType* type = type_of(resource);
  if (!type || !type->has_status) co_return unknown_kind();
  // Two operations: a merge patch would keep members of the old status that the new one does not have.
  json::array operations;
  if (expected != 0)
    operations.push_back(json::object{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", std::to_string(expected)}});
  operations.push_back(json::object{{"op", "add"}, {"path", "/status"}, {"value", std::move(status)}});
  ChangeRequest request{JsonPatch{json::value(std::move(operations))}, {}};
  Answer<Written> written =
      co_await pipeline_.change(context, type, key, Part::Status, std::move(request), strict(std::move(field_manager)), process_user());
  Result<StoredPtr> result = co_await stored(context, type, key, std::move(written));
  co_return result;
}

Task<> ObjectWriter::remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) {
  const ResourceType* type = type_of(resource);
  if (!type) co_return unknown_kind();
  DeleteOptions options;
  if (expected != 0) options.version = expected;
  const Answer<Written> removed = co_await pipeline_.remove(context, type, key, options);
  if (!removed) co_return error_of(removed.error());
  co_return ok();
}

Task<> ObjectWriter::replace_finalizers(Context context, const ResourceType* type, StoredPtr live, json::array finalizers) {
  json::object metadata{{"resourceVersion", std::to_string(live->version)}, {"finalizers", std::move(finalizers)}};
  ChangeRequest request{MergePatch{json::value(json::object{{"metadata", std::move(metadata)}})}, {}};
  const Answer<Written> written =
      co_await pipeline_.change(context, type, live->key, Part::Main, std::move(request), strict("keyturn-finalizer"), process_user());
  if (!written) co_return error_of(written.error());
  co_return ok();
}

Task<> ObjectWriter::add_finalizer(Context context, Resource resource, ObjectKey key, std::string finalizer) {
  const ResourceType* type = type_of(resource);
  if (!type) co_return unknown_kind();
  const Result<StoredPtr> live = co_await store_.get(context, type->stored_as(), key);
  if (!live) co_return live.error();
  json::array finalizers = finalizers_of(**live);
  if (std::find(finalizers.begin(), finalizers.end(), json::value(finalizer)) != finalizers.end()) co_return ok();
  finalizers.push_back(json::value(finalizer));
  co_return co_await replace_finalizers(std::move(context), type, *live, std::move(finalizers));
}

Task<> ObjectWriter::remove_finalizer(Context context, Resource resource, ObjectKey key, std::string finalizer) {
  const ResourceType* type = type_of(resource);
  if (!type) co_return unknown_kind();
  const Result<StoredPtr> live = co_await store_.get(context, type->stored_as(), key);
  if (!live && live.error().code == Errc::NotFound) co_return ok();
  if (!live) co_return live.error();
  const json::array present = finalizers_of(**live);
  json::array left;
  for (const json::value& one : present)
    if (one != json::value(finalizer)) left.push_back(one);
  if (left.size() == present.size()) co_return ok();
  co_return co_await replace_finalizers(std::move(context), type, *live, std::move(left));
}

}  // namespace keyturn::embedded
