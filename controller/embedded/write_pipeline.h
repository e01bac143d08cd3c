// How every write happens, whoever asks: decode, patch, prune, default, keep what the endpoint may not touch, validate, record who owns
// what, and commit unless nothing changed or it is only a rehearsal.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/task.h"
#include "controller/embedded/access.h"
#include "controller/embedded/list_options.h"
#include "controller/embedded/managed_fields.h"
#include "controller/embedded/object_strategy.h"
#include "controller/embedded/status_reply.h"
#include "controller/runtime/store.h"

namespace keyturn::embedded {

// What the program's own rules say about an object after its structure was found valid: for SecretRotation against its environment.
struct AdmissionReview {
  Resource resource;
  boost::json::object object;
  std::optional<boost::json::object> old;  // nothing on create
  User user;
};
struct AdmissionVerdict {
  api::Violations violations;
  std::vector<std::string> warnings;
};
// Called on create and when the spec changes. An error refuses the write with 503.
using Admission = std::function<Task<AdmissionVerdict>(Context, AdmissionReview)>;

// The ways to change an existing object. `duplicates` are fields that stood twice in the body.
struct Replacement {
  boost::json::object object;
};
struct MergePatch {
  boost::json::value patch;
  bool strategic = false;  // only for built-in kinds
};
struct JsonPatch {
  boost::json::value patch;
};
struct ApplyPatch {
  boost::json::object object;
};
struct ChangeRequest {
  std::variant<Replacement, MergePatch, JsonPatch, ApplyPatch> how;
  std::vector<std::string> duplicates;
};

struct DeleteOptions {
  bool dry_run = false;
  std::string uid;                         // precondition; empty = none
  std::optional<ResourceVersion> version;  // precondition
};

struct Written {
  boost::json::object object;  // as the type's clients see it
  bool created = false;
  bool removed = false;  // the object is gone (or would be, in a dry run)
  std::vector<std::string> warnings;
};

class WritePipeline {
 public:
  static constexpr int attempts_max = 5;  // of a patch without resourceVersion that loses a race

  // `clock`, `random` and `store` must outlive it. `admission` may be empty.
  WritePipeline(Clock& clock, Random& random, Store& store, Admission admission)
      : clock_(clock), random_(random), store_(store), admission_(std::move(admission)) {}

  Awaitable<Answer<Written>> create(Context context, const ResourceType* type, std::string ns, boost::json::object body,
                                    std::vector<std::string> duplicates, WriteOptions options, User user);
  Awaitable<Answer<Written>> change(Context context, const ResourceType* type, ObjectKey key, Part part, ChangeRequest request,
                                    WriteOptions options, User user);
  Awaitable<Answer<Written>> remove(Context context, const ResourceType* type, ObjectKey key, DeleteOptions options);

 private:
  Awaitable<Answer<Written>> change_once(Context context, const ResourceType* type, StoredPtr live, Part part, ChangeRequest request,
                                         WriteOptions options, User user);
  Awaitable<Answer<Written>> create_applied(Context context, const ResourceType* type, ObjectKey key, Part part, ApplyPatch request,
                                            WriteOptions options, User user);
  Awaitable<Answer<Written>> commit_create(Context context, const ResourceType* type, ObjectKey key, boost::json::object object,
                                           WriteOptions options, Written result);
  Awaitable<Answer<Written>> commit_update(Context context, const ResourceType* type, StoredPtr live, boost::json::object object,
                                           WriteOptions options, Written result);
  Awaitable<Answer<Written>> commit_remove(Context context, const ResourceType* type, StoredPtr live, boost::json::object last,
                                           bool dry_run);
  // Both objects outlive the call; `old` is null for a new one.
  Awaitable<Answer<std::vector<std::string>>> admit(Context context, const ResourceType* type, const boost::json::object* object,
                                                    const boost::json::object* old, User user);
  Awaitable<> remove_content(Context context, std::string ns);
  FieldWriter writer(const WriteOptions& options, Part part) const;
  std::string generated_name(std::string prefix);

  Clock& clock_;
  Random& random_;
  Store& store_;
  Admission admission_;
};

}  // namespace keyturn::embedded
