// metadata.managedFields: who has set which fields, by which kind of write.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "controller/embedded/field_set.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {

struct ManagedEntry {
  std::string manager;
  std::string operation;  // "Apply" or "Update"
  std::string api_version;
  std::string time;  // when the set changed last
  std::string subresource;
  FieldSet fields;

  bool is(const std::string& who, const std::string& how, const std::string& where) const {
    return manager == who && operation == how && subresource == where;
  }
};
using ManagedFields = std::vector<ManagedEntry>;

// Who writes now.
struct FieldWriter {
  std::string manager;
  std::string subresource;  // "" or "status"
  std::string time;         // RFC 3339
};

constexpr std::size_t update_entries_max = 10;  // older ones are folded into "ancient-changes"

// From an object; entries that cannot be read are left out. An object without the field gives none.
ManagedFields read_managed_fields(const boost::json::object& object);
// True for `managedFields: [{}]`: the writer asks to forget all owners.
bool asks_for_reset(const boost::json::object& object);
void write_managed_fields(boost::json::object& object, ManagedFields fields);

// Takes out what nobody owns: identity, what the server sets, and what this endpoint cannot write.
void strip_unowned(FieldSet& set, const FieldWriter& writer);

// Whole objects as values without metadata.managedFields, for comparing.
boost::json::value comparable(const boost::json::object& object);

// After a write that is not an apply: what changed belongs to the writer, and to nobody else any more. `before` is empty on create.
void record_update(ManagedFields& fields, const boost::json::object& before, const boost::json::object& after, const ResourceType& type,
                   const FieldWriter& writer);

}  // namespace keyturn::embedded
