#include "sim/vault/vault.h"

#include <algorithm>

#include "sim/text.h"

namespace keyturn::sim {

namespace {

std::int64_t unix_seconds(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

Refusal not_found(std::string_view name, std::string_view version) {
  const std::string what = std::string(name) + (version.empty() ? "" : "/" + std::string(version));
  return {404, "SecretNotFound",
          "A secret with (name/id) " + what +
              " was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct "
              "recovery command.",
          ""};
}

Refusal disabled() { return {403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"}; }
Refusal bad_parameter(std::string message) { return {400, "BadParameter", std::move(message), ""}; }

// Outer code after measured traffic; the inner codes are general knowledge, so nobody should depend on them.
Refusal not_writable(const Vault::Entry& entry) {
  switch (entry.lifecycle) {
    case Vault::Lifecycle::Recovering:
      return {409, "Conflict", "Secret " + entry.name + " is currently being recovered.", "ObjectIsBeingRecovered"};
    case Vault::Lifecycle::Deleted:
      return {409, "Conflict",
              "Secret " + entry.name +
                  " is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only "
                  "be recovered or purged.",
              "ObjectIsDeletedButRecoverable"};
    default:
      return {409, "Conflict", "Secret " + entry.name + " is currently being deleted.", "ObjectIsBeingDeleted"};
  }
}

bool name_allowed(std::string_view name) {
  const auto allowed = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; };
  return !name.empty() && name.size() <= Vault::name_bytes_max && std::ranges::all_of(name, allowed);
}

Answer<> check_tags(const Tags& tags) {
  if (tags.size() > Vault::tags_max) return bad_parameter("A secret cannot have more than 15 tags.");
  for (const auto& [key, value] : tags) {
    if (key.size() > Vault::tag_bytes_max || value.size() > Vault::tag_bytes_max) {
      return bad_parameter("A tag's name and value cannot be longer than 256 characters.");
    }
  }
  return {};
}

Answer<> check_content_type(std::string_view content_type) {
  if (content_type.size() > Vault::content_type_bytes_max) return bad_parameter("contentType cannot be longer than 255 characters.");
  return {};
}

Answer<> check_draft(std::string_view name, const Vault::Draft& draft) {
  if (!name_allowed(name)) return bad_parameter("The request URI contains an invalid name: " + std::string(name));
  if (draft.value.size() > Vault::value_bytes_max) return bad_parameter("The value of the secret is larger than 25 kB.");
  if (const auto tags = check_tags(draft.tags); !tags) return tags.error();
  return check_content_type(draft.content_type);
}

SecretVersion* find_version(Vault::Entry& entry, std::string_view version) {
  if (version.empty()) return &entry.versions.back();
  const auto found = std::ranges::find_if(entry.versions, [&](const SecretVersion& v) { return same_word(v.id, version); });
  return found == entry.versions.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name_of(Vault::Lifecycle lifecycle) noexcept {
  switch (lifecycle) {
    case Vault::Lifecycle::Live:
      return "Live";
    case Vault::Lifecycle::Deleting:
      return "Deleting";
    case Vault::Lifecycle::Deleted:
      return "Deleted";
    case Vault::Lifecycle::Recovering:
      return "Recovering";
    case Vault::Lifecycle::Purging:
      return "Purging";
  }
  return "Live";
}

void Vault::finish_transitions(Instant now) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = it->second;
    const bool over = now >= entry.until;
    if (entry.lifecycle == Lifecycle::Purging && over) {
      it = entries_.erase(it);
      continue;
    }
    if (entry.lifecycle == Lifecycle::Deleting && over) entry.lifecycle = Lifecycle::Deleted;
    if (entry.lifecycle == Lifecycle::Recovering && over) entry.lifecycle = Lifecycle::Live;
    ++it;
  }
}

const std::map<std::string, Vault::Entry>& Vault::entries(Instant now) {
  finish_transitions(now);
  return entries_;
}

Vault::Entry* Vault::find(std::string_view name, Instant now) {
  finish_transitions(now);
  const auto found = entries_.find(lower(name));
  return found == entries_.end() ? nullptr : &found->second;
}

Answer<Vault::Item> Vault::set(std::string_view name, Draft draft, Instant now) {
  if (const auto checked = check_draft(name, draft); !checked) return checked.error();
  Entry* entry = find(name, now);
  if (entry && entry->lifecycle != Lifecycle::Live) return not_writable(*entry);
  if (!entry) {
    entry = &entries_[lower(name)];
    entry->name = name;
  }
  const std::int64_t seconds = unix_seconds(now);
  entry->versions.push_back(SecretVersion{.id = random_.hex(16),
                                          .value = std::move(draft.value),
                                          .content_type = std::move(draft.content_type),
                                          .tags = std::move(draft.tags),
                                          .attributes = draft.attributes,
                                          .created = seconds,
                                          .updated = seconds});
  return Item{&entry->name, &entry->versions.back()};
}

Answer<Vault::Item> Vault::get(std::string_view name, std::string_view version, Instant now) {
  Entry* entry = find(name, now);
  SecretVersion* found = entry ? find_version(*entry, version) : nullptr;
  if (!found) return not_found(name, version);
  // Checked before the deletion: a deleted secret whose newest version is disabled is 403, too.
  if (!found->attributes.enabled) return disabled();
  if (entry->lifecycle != Lifecycle::Live) return not_found(name, version);
  return Item{&entry->name, found};
}

Answer<Vault::Item> Vault::patch(std::string_view name, std::string_view version, Change change, Instant now) {
  Entry* entry = find(name, now);
  if (!entry) return not_found(name, version);
  if (entry->lifecycle != Lifecycle::Live) return not_writable(*entry);
  SecretVersion* found = find_version(*entry, version);
  if (!found) return not_found(name, version);
  if (change.tags) {
    if (const auto checked = check_tags(*change.tags); !checked) return checked.error();
  }
  if (change.content_type) {
    if (const auto checked = check_content_type(*change.content_type); !checked) return checked.error();
    found->content_type = std::move(*change.content_type);
  }
  if (change.tags) found->tags = std::move(*change.tags);
  if (change.enabled) found->attributes.enabled = *change.enabled;
  if (change.not_before) found->attributes.not_before = change.not_before;
  if (change.expires) found->attributes.expires = change.expires;
  found->updated = unix_seconds(now);
  return Item{&entry->name, found};
}

Vault::Page Vault::list(std::string_view after, std::size_t items_max, Instant now) {
  finish_transitions(now);
  Page page;
  auto it = after.empty() ? entries_.begin() : entries_.upper_bound(lower(after));
  for (; it != entries_.end(); ++it) {
    if (it->second.lifecycle != Lifecycle::Live) continue;
    if (page.items.size() == items_max) {
      page.next = lower(*page.items.back().name);
      break;
    }
    page.items.push_back({&it->second.name, &it->second.versions.back()});
  }
  return page;
}

Answer<Vault::Page> Vault::versions(std::string_view name, std::string_view after, std::size_t items_max, Instant now) {
  Entry* entry = find(name, now);
  if (!entry || entry->lifecycle != Lifecycle::Live) return not_found(name, "");
  std::vector<const SecretVersion*> ordered;
  for (const SecretVersion& version : entry->versions) {
    if (version.id > after) ordered.push_back(&version);
  }
  std::ranges::sort(ordered, {}, [](const SecretVersion* v) { return std::string_view(v->id); });
  Page page;
  for (const SecretVersion* version : ordered) {
    if (page.items.size() == items_max) {
      page.next = page.items.back().version->id;
      break;
    }
    page.items.push_back({&entry->name, version});
  }
  return page;
}

Vault::Deleted Vault::describe_deleted(const Entry& entry) const {
  return {&entry.name, &entry.versions.back(), entry.deleted, entry.deleted + std::chrono::seconds(retention).count()};
}

Answer<Vault::Deleted> Vault::remove(std::string_view name, Instant now) {
  Entry* entry = find(name, now);
  if (!entry || entry->lifecycle == Lifecycle::Deleted || entry->lifecycle == Lifecycle::Purging) return not_found(name, "");
  if (entry->lifecycle != Lifecycle::Live) return not_writable(*entry);
  entry->lifecycle = Lifecycle::Deleting;
  entry->until = now + deletion_;
  entry->deleted = unix_seconds(now);
  return describe_deleted(*entry);
}

Answer<Vault::Deleted> Vault::deleted(std::string_view name, Instant now) {
  const Entry* entry = find(name, now);
  if (!entry || entry->lifecycle != Lifecycle::Deleted) return not_found(name, "");
  return describe_deleted(*entry);
}

std::vector<Vault::Deleted> Vault::list_deleted(Instant now) {
  finish_transitions(now);
  std::vector<Deleted> out;
  for (const auto& [key, entry] : entries_) {
    if (entry.lifecycle == Lifecycle::Deleted) out.push_back(describe_deleted(entry));
  }
  return out;
}

Answer<Vault::Item> Vault::recover(std::string_view name, Instant now) {
  Entry* entry = find(name, now);
  if (!entry || entry->lifecycle == Lifecycle::Live || entry->lifecycle == Lifecycle::Purging) return not_found(name, "");
  if (entry->lifecycle != Lifecycle::Deleted) return not_writable(*entry);
  entry->lifecycle = Lifecycle::Recovering;
  entry->until = now + deletion_;
  return Item{&entry->name, &entry->versions.back()};
}

Answer<> Vault::purge(std::string_view name, Instant now) {
  Entry* entry = find(name, now);
  if (!entry || entry->lifecycle == Lifecycle::Live || entry->lifecycle == Lifecycle::Purging) return not_found(name, "");
  if (entry->lifecycle != Lifecycle::Deleted) return not_writable(*entry);
  entry->lifecycle = Lifecycle::Purging;
  entry->until = now + deletion_;
  return {};
}

}  // namespace keyturn::sim
