// `configuration.secrets` of a container app: the entries as written, and the values the platform last synchronised.
#pragma once

#include <boost/json/array.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/secret.h"
#include "base/time.h"
#include "sim/apps/reference_source.h"

namespace keyturn::sim {

// What a replica has loaded of one secret. The fingerprint is keyed, lives in this process only, and is never shown.
struct LoadedValue {
  std::string version;  // the vault's version id, or "inline-N"
  Sha256 fingerprint{};
};
using LoadedValues = std::map<std::string, LoadedValue>;

// One attempt of the platform to read a reference.
struct SyncRecord {
  Instant at{};
  std::string secret;
  std::string version;  // the one in use after the attempt
  bool succeeded = false;
  bool changed = false;
  std::string reason;  // the vault's error code when it failed
};

class AppSecrets {
 public:
  struct Entry {
    std::string name;
    std::string key_vault_url;  // empty = inline
    std::string identity;
    bool operator==(const Entry&) const = default;
  };

  // A list as it was sent, not in force yet.
  struct Draft {
    std::vector<Entry> entries;
    std::map<std::string, Secret> inline_values;
  };

  AppSecrets(std::string app, std::string fingerprint_key) : app_(std::move(app)), fingerprint_key_(std::move(fingerprint_key)) {}

  // `secrets` may live in the arena; null is an empty list. Refusals: 400 (no list, no name, a name twice, a reference without
  // identity, an inline entry without value).
  static Answer<Draft> read(const boost::json::value& secrets);

  // Whether every reference of the list can be read now. Refusal: 400 as ARM words it, without the cause.
  Answer<> check(const std::vector<Entry>& entries, ReferenceSource& source, Instant at) const;

  bool same_as(const Draft& draft) const;

  // Replaces the whole list, as a merge patch does. References keep the value of their name until the next sync.
  void adopt(Draft draft);

  // Reads every reference. What cannot be read keeps its value. Returns the names whose value changed; appends to `records`.
  std::set<std::string> sync(ReferenceSource& source, Instant at, std::vector<SyncRecord>& records);

  bool contains(std::string_view name) const;
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  LoadedValues loaded() const;
  // As ARM shows them: never a value, and identity ids in another letter case than they were written.
  boost::json::array shown() const;
  // `{"value":[{"name","value"}...]}` with the resolved values, as listSecrets answers.
  Secret listing() const;

 private:
  struct Value {
    Secret value;
    std::string version;
  };
  std::string principal_of(const Entry& entry) const;
  Sha256 fingerprint(const Secret& value) const;

  std::string app_;
  std::string fingerprint_key_;
  std::vector<Entry> entries_;
  std::map<std::string, Value, std::less<>> values_;
  int inline_writes_ = 0;
};

}  // namespace keyturn::sim
