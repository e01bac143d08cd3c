// One simulated key vault: secrets, their versions, soft delete and limits. A state machine without I/O and without a clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "base/time.h"
#include "sim/refusal.h"

namespace keyturn::sim {

using Tags = std::map<std::string, std::string>;

struct SecretAttributes {
  bool enabled = true;
  std::optional<std::int64_t> not_before;  // unix seconds; informational, as at Azure
  std::optional<std::int64_t> expires;
};

struct SecretVersion {
  std::string id;  // 32 random hex digits: their order says nothing about time
  Secret value;
  std::string content_type;
  Tags tags;
  SecretAttributes attributes;
  std::int64_t created = 0;  // whole unix seconds: two versions of one second tie
  std::int64_t updated = 0;
};

class Vault {
 public:
  static constexpr std::size_t name_bytes_max = 127;
  static constexpr std::size_t value_bytes_max = 25'600;
  static constexpr std::size_t content_type_bytes_max = 255;
  static constexpr std::size_t tags_max = 15;
  static constexpr std::size_t tag_bytes_max = 256;
  static constexpr std::size_t page_items_max = 25;
  static constexpr std::chrono::days retention{90};

  struct Draft {
    Secret value;
    std::string content_type;
    Tags tags;
    SecretAttributes attributes;
  };
  // Absent members stay as they are; `tags` replaces the whole map.
  struct Change {
    std::optional<std::string> content_type;
    std::optional<Tags> tags;
    std::optional<bool> enabled;
    std::optional<std::int64_t> not_before;
    std::optional<std::int64_t> expires;
  };
  struct Item {
    const std::string* name;  // as first written
    const SecretVersion* version;
  };
  struct Page {
    std::vector<Item> items;
    std::string next;  // marker for the next page; empty = the last one
  };
  struct Deleted {
    const std::string* name;
    const SecretVersion* version;
    std::int64_t deleted;
    std::int64_t scheduled_purge;
  };

  // Delete, recover and purge take `deletion` to finish.
  Vault(std::string name, Random& random, Duration deletion) : name_(std::move(name)), random_(random), deletion_(deletion) {}

  const std::string& name() const noexcept { return name_; }

  // Every call adds a version, a repeated one too. Names compare without regard to case.
  // Refusals: 400 BadParameter (limits), 409 Conflict (deleted but recoverable, or on the way there or back).
  Answer<Item> set(std::string_view name, Draft draft, Instant now);

  // Empty version = the newest. A disabled version is 403 SecretDisabled; there is no fallback to an older one.
  Answer<Item> get(std::string_view name, std::string_view version, Instant now);
  Answer<Item> patch(std::string_view name, std::string_view version, Change change, Instant now);

  // Ascending by name; each item shows the newest version. `after` is a marker of the page before.
  Page list(std::string_view after, std::size_t items_max, Instant now);
  // Ascending by version id, which is not the order of time.
  Answer<Page> versions(std::string_view name, std::string_view after, std::size_t items_max, Instant now);

  // Hides all versions at once; the deleted secret can be seen, recovered and purged once the deletion has finished.
  Answer<Deleted> remove(std::string_view name, Instant now);
  Answer<Deleted> deleted(std::string_view name, Instant now);
  std::vector<Deleted> list_deleted(Instant now);
  Answer<Item> recover(std::string_view name, Instant now);
  Answer<> purge(std::string_view name, Instant now);

  // What is there, whatever its state, for the state page: newest last.
  enum class Lifecycle { Live, Deleting, Deleted, Recovering, Purging };
  struct Entry {
    std::string name;
    std::vector<SecretVersion> versions;  // in the order of their creation; never empty
    Lifecycle lifecycle = Lifecycle::Live;
    Instant until{};  // when the transition ends
    std::int64_t deleted = 0;
  };
  const std::map<std::string, Entry>& entries(Instant now);

 private:
  Entry* find(std::string_view name, Instant now);
  void finish_transitions(Instant now);
  Deleted describe_deleted(const Entry& entry) const;

  std::string name_;
  Random& random_;
  Duration deletion_;
  std::map<std::string, Entry> entries_;  // by name in lower case
};

std::string_view name_of(Vault::Lifecycle lifecycle) noexcept;

}  // namespace keyturn::sim
