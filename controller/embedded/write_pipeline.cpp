#include "controller/embedded/write_pipeline.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "controller/embedded/events_view.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/namespaces.h"
#include "controller/embedded/patch.h"
#include "controller/embedded/server_side_apply.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::vector<std::string> strict_errors(const std::vector<std::string>& unknown, const std::vector<std::string>& duplicates) {
  std::vector<std::string> errors;
  for (const std::string& field : duplicates) errors.push_back(fmt::format("duplicate field \"{}\"", field));
  for (const std::string& field : unknown) errors.push_back(fmt::format("unknown field \"{}\"", field));
  return errors;
}

// What unknown and duplicate fields lead to: nothing, warnings, or a refusal that differs between whole objects and patches.
Answer<std::vector<std::string>> judge_strictness(const ResourceType& type, std::vector<std::string> errors, FieldValidation validation,
                                                  bool patch) {
  if (errors.empty() || validation == FieldValidation::Ignore) return std::vector<std::string>{};
  if (validation == FieldValidation::Warn) return errors;
  const std::string text = fmt::format("strict decoding error: {}", fmt::join(errors, ", "));
  if (!patch)
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: {}", type.kind, type.version, type.kind, text));
  Failure failure;
  failure.code = 422;
  failure.reason = "Invalid";
  failure.message = fmt::format(" \"\" is invalid: patch: Invalid value: {}", text);
  failure.details["causes"] =
      json::array{json::object{{"reason", "FieldValueInvalid"}, {"message", fmt::format("Invalid value: {}", text)}, {"field", "patch"}}};
  return failure;
}

struct Candidate {
  json::object object;
  bool patch = true;
  bool version_given = false;  // the client insists on one version of the object
};

// The live object as a patch leaves it, before any rule of ours.
Answer<Candidate> candidate_of(const ResourceType& type, const json::object& live, const ChangeRequest& request, const FieldWriter& writer,
                               bool force) {
  Candidate candidate;
  if (const auto* replacement = std::get_if<Replacement>(&request.how)) {
    candidate.object = replacement->object;
    candidate.patch = false;
    return candidate;
  }
  if (const auto* apply = std::get_if<ApplyPatch>(&request.how)) {
    Answer<json::object> applied = apply_object(&live, apply->object, type, writer, force);
    if (!applied) return applied.error();
    candidate.object = std::move(*applied);
    const std::string_view given = metadata_text(apply->object, "resourceVersion");
    if (!given.empty()) candidate.object["metadata"].get_object()["resourceVersion"] = given;
    candidate.version_given = !given.empty();
    return candidate;
  }
  json::value patched = live;
  if (const auto* merge = std::get_if<MergePatch>(&request.how)) {
    if (!merge->patch.is_object())
      return bad_request("error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}");
    merge->strategic ? strategic_merge_patch(patched, merge->patch) : merge_patch(patched, merge->patch);
    candidate.version_given = !metadata_text(merge->patch.get_object(), "resourceVersion").empty();
  } else if (const Answer<> done = json_patch(patched, std::get<JsonPatch>(request.how).patch); !done) {
    return done.error();
  }
  if (!patched.is_object()) return rejected_patch();
  candidate.object = std::move(patched.get_object());
  return candidate;
}

// 409 when the client's version is not the live one. 422 when a PUT of our kinds names none.
Answer<> check_version(const ResourceType& type, const Candidate& candidate, const StoredObject& live) {
  const std::string_view text = metadata_text(candidate.object, "resourceVersion");
  if (text.empty() && !candidate.patch && type.of == TypeOf::Rotation) return version_required(type, live.key.name);
  if (text.empty()) return done();
  const std::optional<ResourceVersion> version = parse_version(text);
  if (!version)
    return bad_request(
        fmt::format("resourceVersion: Invalid value: \"{}\": strconv.ParseUint: parsing \"{}\": invalid syntax", text, text));
  if (*version == 0 && !candidate.patch) return version_required(type, live.key.name);
  if (*version != live.version) return conflict(type, live.key.name);
  return done();
}

Answer<> check_uid(const ResourceType& type, const Candidate& candidate, const StoredObject& live) {
  const std::string_view uid = metadata_text(candidate.object, "uid");
  if (candidate.patch || uid.empty() || uid == live.uid.value) return done();
  return uid_mismatch(type, live.key.name, uid, live.uid.value);
}

// The controller's role covers finalizers, which live in the main resource, but never what people want.
Answer<> check_role(const ResourceType& type, const json::object& object, const json::object& live, const User& user) {
  if (user.role != Role::Controller || type.kind == "RotationRun" || type.of != TypeOf::Rotation || !spec_differs(object, live))
    return done();
  const std::string_view name = metadata_text(live, "name");
  return forbidden_message(fmt::format("{} \"{}\" is forbidden: User \"{}\" cannot change spec", type.qualified(), name, user.name),
                           json::object{{"name", name}, {"group", type.group}, {"kind", type.plural}});
}

// Who owns what after a write that is not an apply. A client may rewrite the list itself: the migration from client-side apply does.
void record_owners(const ResourceType& type, json::object& object, const json::object& live, const FieldWriter& writer) {
  ManagedFields fields = asks_for_reset(object) ? ManagedFields{} : read_managed_fields(object);
  if (fields.empty() && !asks_for_reset(object)) fields = read_managed_fields(live);
  if (asks_for_reset(object) && comparable(object) == comparable(live)) {
    object["metadata"].get_object().erase("managedFields");
    return;
  }
  record_update(fields, live, object, type, writer);
  write_managed_fields(object, std::move(fields));
}

bool finalizers_gone(const json::object& object) { return is_deleting(object) && !has_finalizers(object); }

}  // namespace

FieldWriter WritePipeline::writer(const WriteOptions& options, Part part) const {
  return {options.field_manager, part == Part::Status ? "status" : "", format_seconds(clock_.now())};
}

std::string WritePipeline::generated_name(std::string prefix) {
  // Without vowels and look-alikes: a generated name spells no word.
  constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
  prefix.resize(std::min(prefix.size(), std::size_t{63} - name_suffix_length));
  for (std::size_t i = 0; i < name_suffix_length; ++i) prefix += letters[random_.below(static_cast<std::uint32_t>(letters.size()))];
  return prefix;
}

Awaitable<Answer<std::vector<std::string>>> WritePipeline::admit(Context context, const ResourceType* type, const json::object* object,
                                                                 const json::object* old, User user) {
  const api::Violations violations = check_object(*type, *object, old);
  if (!violations.empty()) co_return invalid(*type, metadata_text(*object, "name"), violations);
  const bool spec_changed = !old || spec_differs(*object, *old);
  if (!admission_ || type->of != TypeOf::Rotation || !spec_changed || is_deleting(*object)) co_return std::vector<std::string>{};
  const std::string name(metadata_text(*object, "name"));
  AdmissionReview review{type->stored_as(), *object, old ? std::optional(*old) : std::nullopt, std::move(user)};
  const Result<AdmissionVerdict> verdict = co_await admission_(context, std::move(review));
  if (!verdict) co_return store_failure(Error{Errc::Unavailable, "admission cannot decide now"}, *type, name);
  if (!verdict->violations.empty()) co_return invalid(*type, name, verdict->violations);
  co_return verdict->warnings;
}

Awaitable<Answer<Written>> WritePipeline::create(Context context, const ResourceType* type, std::string ns, json::object body,
                                                 std::vector<std::string> duplicates, WriteOptions options, User user) {
  if (const Answer<> envelope = check_envelope(*type, body, ns, ""); !envelope) co_return envelope.error();
  if (!metadata_text(body, "resourceVersion").empty()) co_return bad_request("resourceVersion should not be set on objects to be created");
  Written result;
  Answer<std::vector<std::string>> warnings =
      judge_strictness(*type, strict_errors(prune_unknown(*type, body), duplicates), options.validation, false);
  if (!warnings) co_return warnings.error();
  result.warnings = std::move(*warnings);
  json::object& metadata = body["metadata"].get_object();
  const std::string prefix(metadata_text(body, "generateName"));
  if (metadata_text(body, "name").empty() && !prefix.empty()) metadata["name"] = generated_name(prefix);
  const std::string name(metadata_text(body, "name"));
  if (type->namespaced) {
    const Answer<> inside = co_await check_namespace(context, &store_, type, ns, name);
    if (!inside) co_return inside.error();
  }
  prepare_create(*type, body, ns, random_.uuid(), clock_.now());
  Answer<std::vector<std::string>> admitted = co_await admit(context, type, &body, nullptr, user);
  if (!admitted) co_return admitted.error();
  result.warnings.insert(result.warnings.end(), admitted->begin(), admitted->end());
  ManagedFields fields;
  record_update(fields, {}, body, *type, writer(options, Part::Main));
  write_managed_fields(body, std::move(fields));
  const ObjectKey key{type->namespaced ? ns : "", name};
  Answer<Written> written = co_await commit_create(context, type, key, std::move(body), options, std::move(result));
  co_return written;
}

Awaitable<Answer<Written>> WritePipeline::create_applied(Context context, const ResourceType* type, ObjectKey key, Part part,
                                                         ApplyPatch request, WriteOptions options, User user) {
  if (part == Part::Status) co_return not_found(*type, key.name);
  if (!metadata_text(request.object, "uid").empty()) co_return not_found(*type, key.name);
  if (type->namespaced) {
    const Answer<> inside = co_await check_namespace(context, &store_, type, key.ns, key.name);
    if (!inside) co_return inside.error();
  }
  Answer<json::object> applied = apply_object(nullptr, request.object, *type, writer(options, part), options.force);
  if (!applied) co_return applied.error();
  json::object object = std::move(*applied);
  prepare_create(*type, object, key.ns, random_.uuid(), clock_.now());
  Answer<std::vector<std::string>> admitted = co_await admit(context, type, &object, nullptr, user);
  if (!admitted) co_return admitted.error();
  Answer<Written> written = co_await commit_create(context, type, key, std::move(object), options, Written{.warnings = *admitted});
  co_return written;
}

Awaitable<Answer<Written>> WritePipeline::commit_create(Context context, const ResourceType* type, ObjectKey key, json::object object,
                                                        WriteOptions options, Written result) {
  result.created = true;
  if (options.dry_run) {
    const Result<StoredPtr> existing = co_await store_.get(context, type->stored_as(), key);
    if (existing) co_return already_exists(*type, key.name);
    result.object = std::move(object);
    co_return result;
  }
  const Result<StoredPtr> created = co_await store_.create(context, type->stored_as(), key, to_stored(*type, std::move(object)));
  if (!created && created.error().code == Errc::Conflict) co_return already_exists(*type, key.name);
  if (!created) co_return store_failure(created.error(), *type, key.name);
  result.object = present(*type, (*created)->body);
  co_return result;
}

Awaitable<Answer<Written>> WritePipeline::change(Context context, const ResourceType* type, ObjectKey key, Part part, ChangeRequest request,
                                                 WriteOptions options, User user) {
  if (auto* apply = std::get_if<ApplyPatch>(&request.how)) {
    if (const Answer<> envelope = check_envelope(*type, apply->object, key.ns, key.name); !envelope) co_return envelope.error();
    if (find_path(apply->object, "metadata.managedFields")) co_return bad_request("metadata.managedFields must be nil");
    if (const Answer<> typed = check_applied(apply->object, *type, key.ns, key.name); !typed) co_return typed.error();
  }
  for (int attempt = 1;; ++attempt) {
    const Result<StoredPtr> live = co_await store_.get(context, type->stored_as(), key);
    const bool missing = !live && live.error().code == Errc::NotFound;
    if (missing && std::holds_alternative<ApplyPatch>(request.how)) {
      Answer<Written> created = co_await create_applied(context, type, key, part, std::get<ApplyPatch>(request.how), options, user);
      co_return created;
    }
    if (!live) co_return store_failure(live.error(), *type, key.name);
    Answer<Written> written = co_await change_once(context, type, *live, part, request, options, user);
    const bool lost = !written && written.error().lost_race;
    if (!lost || attempt == attempts_max) co_return written;
  }
}

Awaitable<Answer<Written>> WritePipeline::change_once(Context context, const ResourceType* type, StoredPtr live, Part part,
                                                      ChangeRequest request, WriteOptions options, User user) {
  const json::object before = present(*type, live->body);
  const bool apply = std::holds_alternative<ApplyPatch>(request.how);
  Answer<Candidate> candidate = candidate_of(*type, before, request, writer(options, part), options.force);
  if (!candidate) co_return candidate.error();
  json::object& object = candidate->object;
  if (const Answer<> envelope = check_envelope(*type, object, live->key.ns, live->key.name); !envelope) co_return envelope.error();
  if (const Answer<> version = check_version(*type, *candidate, *live); !version) co_return version.error();
  if (const Answer<> uid = check_uid(*type, *candidate, *live); !uid) co_return uid.error();
  Answer<std::vector<std::string>> warnings =
      judge_strictness(*type, strict_errors(prune_unknown(*type, object), request.duplicates), options.validation, candidate->patch);
  if (!warnings) co_return warnings.error();

  prepare_update(*type, object, before, part);
  if (const Answer<> role = check_role(*type, object, before, user); !role) co_return role.error();
  Answer<std::vector<std::string>> admitted = co_await admit(context, type, &object, &before, user);
  if (!admitted) co_return admitted.error();
  if (!apply) record_owners(*type, object, before, writer(options, part));
  Written result{.warnings = std::move(*warnings)};
  result.warnings.insert(result.warnings.end(), admitted->begin(), admitted->end());
  if (finalizers_gone(object)) {
    Answer<Written> removed = co_await commit_remove(context, type, live, object, options.dry_run);
    if (removed) removed->object = std::move(object);
    co_return removed;
  }
  Answer<Written> written = co_await commit_update(context, type, live, std::move(object), options, std::move(result));
  // A lost race is repeated only where the client did not insist on one version.
  if (!written && written.error().code == 409 && candidate->patch && !candidate->version_given) {
    Failure failure = written.error();
    failure.lost_race = true;
    co_return failure;
  }
  co_return written;
}

Awaitable<Answer<Written>> WritePipeline::commit_update(Context context, const ResourceType* type, StoredPtr live, json::object object,
                                                        WriteOptions options, Written result) {
  json::object stored = to_stored(*type, std::move(object));
  if (options.dry_run || stored == live->body) {
    result.object = present(*type, std::move(stored));
    co_return result;
  }
  const Result<StoredPtr> updated = co_await store_.update(context, type->stored_as(), live->key, std::move(stored), live->version);
  if (!updated) co_return store_failure(updated.error(), *type, live->key.name);
  result.object = present(*type, (*updated)->body);
  co_return result;
}

Awaitable<Answer<Written>> WritePipeline::commit_remove(Context context, const ResourceType* type, StoredPtr live, json::object last,
                                                        bool dry_run) {
  Written result{.object = std::move(last), .removed = true};
  if (dry_run) co_return result;
  const Result<StoredPtr> removed = co_await store_.remove(context, type->stored_as(), live->key, live->version);
  if (!removed) co_return store_failure(removed.error(), *type, live->key.name);
  if (!live->key.ns.empty()) co_await finish_namespace(context, &store_, live->key.ns);
  co_return result;
}

Awaitable<Answer<Written>> WritePipeline::remove(Context context, const ResourceType* type, ObjectKey key, DeleteOptions options) {
  if (type->of == TypeOf::Namespace && is_permanent_namespace(key.name))
    co_return forbidden_message(fmt::format("namespaces \"{}\" is forbidden: this namespace may not be deleted", key.name),
                                json::object{{"name", key.name}, {"kind", "namespaces"}});
  for (int attempt = 1;; ++attempt) {
    const Result<StoredPtr> live = co_await store_.get(context, type->stored_as(), key);
    if (!live) co_return store_failure(live.error(), *type, key.name);
    if (!options.uid.empty() && options.uid != (*live)->uid.value)
      co_return precondition_failed(
          *type, key.name,
          fmt::format("the UID in the precondition ({}) does not match the UID in record ({}). The object might have been "
                      "deleted and then recreated",
                      options.uid, (*live)->uid.value));
    if (options.version && *options.version != (*live)->version)
      co_return precondition_failed(
          *type, key.name,
          fmt::format("the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record ({}). The "
                      "object might have been modified",
                      *options.version, (*live)->version));
    json::object object = (*live)->body;
    Answer<Written> written = Written{};
    if (has_finalizers(object) || type->of == TypeOf::Namespace) {
      prepare_delete(object, clock_.now());
      if (type->of == TypeOf::Namespace) object["status"] = json::object{{"phase", "Terminating"}};
      written = co_await commit_update(context, type, *live, std::move(object), WriteOptions{.dry_run = options.dry_run}, {});
    } else {
      written = co_await commit_remove(context, type, *live, present(*type, std::move(object)), options.dry_run);
    }
    const bool lost = !written && written.error().code == 409 && attempt < attempts_max;
    if (lost) continue;
    if (written && type->of == TypeOf::Namespace && !options.dry_run) co_await remove_content(context, key.name);
    co_return written;
  }
}

Awaitable<> WritePipeline::remove_content(Context context, std::string ns) {
  for (const ResourceType& type : resource_types()) {
    if (!type.namespaced || type.of == TypeOf::NewEvent) continue;
    const Result<ObjectList> content = co_await store_.list(context, type.stored_as(), ListOptions{.ns = ns});
    if (!content) co_return;
    for (const StoredPtr& item : content->items) {
      // What cannot be removed now keeps the namespace; deleting it again tries again.
      const Answer<Written> removed = co_await remove(context, &type, item->key, DeleteOptions{});
      (void)removed;
    }
  }
  co_await finish_namespace(context, &store_, ns);
}

}  // namespace keyturn::embedded
