// The records of a rotation's finished runs as a chain: each carries the hash of the one before it and its own, so that a record that
// is removed, put in, reordered or changed afterwards is found. Pure.
//
// One chain per rotation (namespace and name), across its identities and across a deleted and created object of the same name, because
// the journal is read in the same way; a rotation has at most one unfinished run (I10), so its chain is a line. The first record names
// no predecessor. Nothing prunes finished runs: every record that is missing is a finding.
//
// What a chain alone cannot show is that its newest records are gone, or that all of them were written anew. For that its head (the
// number and hash of the last record) is also kept elsewhere: in the rotation's status, which is another object with other rights, in
// the event and the log line of a run's end, and wherever a person notes it. Whoever can write all of these can forge all of these.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_run.h"
#include "api/secret_rotation.h"

namespace keyturn::api {

// What the hash of a record is taken of: {"name": metadata.name, "spec": ..., "status": ... without recordHash} as JSON in the form of
// RFC 8785 (keys sorted, no white space), so that anybody can compute it:
//   jq -cjS '{name: .metadata.name, spec, status: (.status | del(.recordHash))}' run.json | sha256sum
// It is taken of the object as it is stored, not of what this build understands of it: a field that a later version adds neither
// escapes the hash nor changes that of an older record. metadata is left out but for the name: versions, managers and labels may change.
std::string canonical_record(const boost::json::object& run);
std::string record_digest(const boost::json::object& run);  // "sha256:<hex>" of that

// Sets status.previous_hash and then status.record_hash: the last thing that happens to a run before the write that ends it.
void seal(RotationRun& run, std::string previous);

// The hash of the record that the next one follows: of those sealed the one that no other follows. Empty = there is none yet.
// `runs` are those of one rotation.
std::string last_sealed(const std::vector<RotationRun>& runs);

// The head to be noted in the rotation's status, from the one that is noted there. It only moves along the chain: when the noted
// record cannot be reached from the newest one, it stays as it is, because that is the trace of what was done to the journal.
std::optional<RecordHead> head_after(const std::optional<RecordHead>& noted, const std::vector<RotationRun>& runs);

// What ties a record to the others.
struct RecordLink {
  std::string run;  // its name
  ObjectKey rotation;
  std::string identity;
  std::int64_t generation = 0;
  std::string phase;  // as it is written: a later version may know more of them
  std::optional<Instant> finished_at;
  std::string previous;
  std::string hash;
  bool readable = true;  // false: a field does not fit, and those after it were not read
  bool operator==(const RecordLink&) const = default;
};
RecordLink link_of(const boost::json::object& run);
// A run that has ended, or that says so by its hash; all others are still being written and belong to no chain.
bool is_record(const RecordLink& link);

struct Record {
  RecordLink link;
  std::string digest;      // what its content gives
  std::string moved_from;  // the name under which its content gives the stated hash, where that is another than its own
};
Record record_of(const boost::json::object& run);

enum class Tampering : std::uint8_t {
  Edited,     // the content is not what was sealed
  Removed,    // the record before this one is not there
  Reordered,  // a record stands at another's place
  Inserted,   // a record that the controller did not put there
  Truncated,  // the newest record that is known of is not there
  Forked,     // two records follow the same one
  Unsealed,   // a finished run without a hash
};
std::string_view name_of(Tampering value) noexcept;

struct Finding {
  Tampering kind = Tampering::Edited;
  std::string run;  // where it shows; empty = at the end of the chain
  std::string message;
  bool operator==(const Finding&) const = default;
};

// What is known of the chain from outside of it.
struct Anchors {
  std::optional<RecordHead> noted;  // from the rotation's status
  std::string by_hand;              // a hash that a person kept; empty = none
};

struct Verification {
  std::int64_t records = 0;
  std::string head;               // hash of the newest record; empty = there is none
  std::vector<Finding> findings;  // in the order of the chain; one per cause as far as that can be told
  bool intact() const { return findings.empty(); }
};
// `records` are all of one rotation, in any order; what is no record is passed over. Takes time in proportion to n log n.
Verification verify(std::vector<Record> records, const Anchors& anchors);

}  // namespace keyturn::api
