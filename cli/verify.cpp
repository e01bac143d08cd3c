#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <map>

#include "api/codec.h"
#include "api/record_chain.h"
#include "base/hash.h"
#include "cli/printer.h"
#include "cli/verbs.h"

namespace keyturn {
namespace {

namespace json = boost::json;

// One line per rotation, so that several can be read by a program as they come; one alone is indented, as everywhere.
void show(const Arguments& arguments, std::ostream& out, const v1alpha1::Verification& verification, int& exit_code) {
  if (!verification.intact()) exit_code = 1;
  if (arguments.output == Output::Json)
    print_json(out, verification, arguments.name.empty() ? JsonForm::Line : JsonForm::Indented);
  else
    print_verification(out, verification);
}

Task<v1alpha1::Verification> ask(Session session, ObjectKey key) {
  const std::string& anchor = session.arguments.anchor;
  const std::string path = rotation_path(key, "/verify") + (anchor.empty() ? "" : "?anchor=" + percent_encode(anchor));
  auto verification = co_await session.api.get<v1alpha1::Verification>(session.context(), path);
  co_return verification;
}

Task<> one(Session session) {
  const auto verification = co_await ask(session, session.key());
  if (!verification) co_return session.about(verification.error());
  show(session.arguments, session.out, *verification, session.exit_code);
  co_return ok();
}

Task<> all(Session session) {
  const auto list = co_await session.api.get<v1alpha1::ListRotationsResponse>(session.context(), rotations_path(session.scope(), ""));
  if (!list) co_return list.error();
  for (const v1alpha1::Rotation& rotation : list->rotations()) {
    const auto verification = co_await ask(session, {rotation.namespace_(), rotation.name()});
    if (!verification) co_return verification.error();
    show(session.arguments, session.out, *verification, session.exit_code);
  }
  if (list->rotations().empty() && session.arguments.output != Output::Json)
    session.out << (session.scope().empty() ? "There are no rotations that you may read.\n"
                                            : "There are no rotations in namespace " + session.scope() + ".\n");
  co_return ok();
}

// What a file holds of one rotation.
struct Held {
  std::vector<api::Record> records;
  std::optional<api::RecordHead> noted;
};
using HeldByRotation = std::map<ObjectKey, Held>;

Result<json::value> parsed(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::NotFound, "the file " + path + " cannot be read"};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  json::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec) return Error{Errc::Invalid, path + " is not JSON: write it with `kubectl get rotationruns,secretrotations -A -o json`"};
  return value;
}

bool is_kind(const json::object& object, std::string_view kind) {
  const json::value* value = object.if_contains("kind");
  return value != nullptr && value->is_string() && std::string_view(value->get_string()) == kind;
}

void take(const json::object& object, HeldByRotation& held) {
  if (is_kind(object, api::RotationRun::kind)) {
    api::Record record = api::record_of(object);
    held[record.link.rotation].records.push_back(std::move(record));
  } else if (is_kind(object, api::SecretRotation::kind)) {
    const Result<api::SecretRotation> rotation = api::decode_secret_rotation(object);
    if (rotation) held[rotation->meta.key()].noted = rotation->status.record;
  }
}

// A list, as kubectl writes it, or a single object.
HeldByRotation held_in(const json::value& value) {
  HeldByRotation held;
  const json::object* object = value.if_object();
  const json::value* items = object == nullptr ? nullptr : object->if_contains("items");
  if (items == nullptr || !items->is_array()) {
    if (object != nullptr) take(*object, held);
    return held;
  }
  for (const json::value& item : items->get_array()) {
    if (const json::object* entry = item.if_object()) take(*entry, held);
  }
  return held;
}

v1alpha1::Verification message_of(const ObjectKey& key, const std::optional<api::RecordHead>& noted,
                                  const api::Verification& verification) {
  v1alpha1::Verification message;
  message.set_namespace_(key.ns);
  message.set_name(key.name);
  message.set_intact(verification.intact());
  message.set_records(verification.records);
  message.set_head(verification.head);
  if (noted) {
    message.mutable_noted()->set_sealed(noted->sealed);
    message.mutable_noted()->set_hash(noted->hash);
  }
  for (const api::Finding& finding : verification.findings) {
    v1alpha1::Finding& entry = *message.add_findings();
    entry.set_kind(std::string(api::name_of(finding.kind)));
    entry.set_run(finding.run);
    entry.set_message(finding.message);
  }
  return message;
}

}  // namespace

Task<> verify(Session session) { return session.arguments.name.empty() ? all(session) : one(session); }

Result<int> verify_file(const Arguments& arguments, std::ostream& out) {
  const Result<json::value> content = parsed(arguments.file);
  if (!content) return content.error();
  int exit_code = 0;
  int shown = 0;
  for (auto& [key, held] : held_in(*content)) {
    const bool other_name = !arguments.name.empty() && key.name != arguments.name;
    const bool other_namespace = !arguments.ns.empty() && key.ns != arguments.ns;
    if (other_name || other_namespace) continue;
    const api::Verification verification = api::verify(std::move(held.records), {held.noted, arguments.anchor});
    show(arguments, out, message_of(key, held.noted, verification), exit_code);
    ++shown;
  }
  if (shown > 0) return exit_code;
  const std::string what = arguments.name.empty() ? "any rotation" : "the rotation " + arguments.name;
  return Error{Errc::NotFound,
               arguments.file + " holds no records of " + what + ": write it with `kubectl get rotationruns,secretrotations -A -o json`"};
}

}  // namespace keyturn
