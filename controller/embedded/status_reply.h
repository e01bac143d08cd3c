// What a request is answered with when it fails: the catalogue of metav1.Status, worded as genuine API servers word it.
#pragma once

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/validate.h"
#include "base/error.h"
#include "base/net/http_message.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

// One refused request. Becomes a metav1.Status of kind Failure, or plain text where genuine servers send plain text.
struct Failure {
  int code = 500;
  std::string reason;
  std::string message;
  boost::json::object details;
  std::optional<int> retry_after_s;
  std::string continue_token;  // only for an expired list: where an inconsistent remainder can be read
  bool plain_text = false;
  std::string location;    // only for a redirect
  bool lost_race = false;  // another writer was faster and the client did not insist on a version: worth another attempt
};
[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw BadResultAccess(Error{Errc::Internal, failure.message});
}

// A value, or why there is none.
template <class T = void>
class [[nodiscard]] Answer : public boost::system::result<T, Failure> {
 public:
  using boost::system::result<T, Failure>::result;
};
inline Answer<> done() { return {}; }

// 404, 409 and 422 about one object. Storage errors name the plural, validation errors the kind, as genuine servers do.
Failure not_found(const ResourceType& type, std::string_view name);
Failure already_exists(const ResourceType& type, std::string_view name);
Failure conflict(const ResourceType& type, std::string_view name);
Failure precondition_failed(const ResourceType& type, std::string_view name, std::string_view why);
Failure uid_mismatch(const ResourceType& type, std::string_view name, std::string_view wanted, std::string_view found);
Failure invalid(const ResourceType& type, std::string_view name, const api::Violations& violations);
// 422 about a PUT without a version; unlike the others it names the plural.
Failure version_required(const ResourceType& type, std::string_view name);
// 422 about the options of a request, as in "PatchOptions.meta.k8s.io".
Failure invalid_options(std::string_view kind, const api::Violations& violations);
Failure namespace_not_found(std::string_view ns);
Failure apply_conflict(const std::vector<std::pair<std::string, std::string>>& manager_and_field);

Failure bad_request(std::string message);
Failure page_not_found();
Failure method_not_allowed(const ResourceType& type, std::string_view verb);
Failure unauthorized();
Failure forbidden_message(std::string message, boost::json::object details = {});
Failure unsupported_media_type(std::string_view accepted);
Failure not_acceptable();
Failure too_large(std::string message);
Failure rejected_patch();
Failure too_large_version(std::uint64_t asked, std::uint64_t current);
Failure expired(std::string message);
Failure too_many_requests();
Failure internal_error();

// What a store answered, told to the client. The version conflict of a write becomes 409 Conflict.
Failure store_failure(const Error& error, const ResourceType& type, std::string_view name);

boost::json::object status_object(const Failure& failure);
boost::json::object success_status(const ResourceType& type, std::string_view name, std::string_view uid);

// JSON as the API writes it: `<`, `>` and `&` escaped, a newline at the end.
std::string encode_json(const boost::json::value& value);
net::HttpReply json_reply(int status, const boost::json::value& value);
net::HttpReply text_reply(int status, std::string text);
net::HttpReply failure_reply(const Failure& failure);

}  // namespace keyturn::embedded
