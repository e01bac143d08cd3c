// The rules by which an object comes to be, changes and goes: what clients may set, what the server sets, when the generation counts.
// Pure: time and identity are given. The one place for them, used by every writer, over HTTP and in process.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "api/validate.h"
#include "base/time.h"
#include "controller/embedded/resource_types.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

enum class Part : std::uint8_t { Main, Status };

constexpr std::size_t annotation_bytes_max = 256 * 1024;
constexpr std::size_t name_suffix_length = 5;

// Takes out fields that the kind does not know and names them; writes whole floating-point numbers as integers where those are meant.
std::vector<std::string> prune_unknown(const ResourceType& type, boost::json::object& object);

// 400 when metadata is not what metav1.ObjectMeta can hold; 400 or 422 when apiVersion, kind, name or namespace do not fit the URL.
// An empty `name` = the URL names none.
Answer<> check_envelope(const ResourceType& type, boost::json::object& object, std::string_view ns, std::string_view name);

// What a new object starts with. `uid` and `now` are the server's; the client's values are dropped.
void prepare_create(const ResourceType& type, boost::json::object& object, std::string_view ns, std::string_view uid, Instant now);
// The candidate with everything that this endpoint may not change taken from `live`, and the generation counted.
void prepare_update(const ResourceType& type, boost::json::object& object, const boost::json::object& live, Part part);
// Marks as being deleted. A second call changes nothing.
void prepare_delete(boost::json::object& object, Instant now);
bool is_deleting(const boost::json::object& object);
bool has_finalizers(const boost::json::object& object);
bool spec_differs(const boost::json::object& left, const boost::json::object& right);

// All violations of metadata, structure and rules. With `live`, what was wrong before and is unchanged passes, so that a tightened
// schema does not strand old objects.
api::Violations check_object(const ResourceType& type, const boost::json::object& object, const boost::json::object* live);

}  // namespace keyturn::embedded
