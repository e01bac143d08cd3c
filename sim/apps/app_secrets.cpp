#include "sim/apps/app_secrets.h"

#include <algorithm>
#include <boost/json/object.hpp>

#include "base/secret_memory.h"
#include "sim/json_text.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

namespace {

Refusal invalid_secrets(const std::string& what) {
  return {400, "ContainerAppSecretInvalid", "Invalid Request: Container app secret(s) " + what};
}

// ARM does not say why the reference cannot be read: that is for the caller to find out at the vault.
Refusal unreadable(const std::string& name, const std::string& identity) {
  return {
      400, "InvalidParameterValueInContainerTemplate",
      "The following field(s) are either invalid or missing. Field 'configuration.secrets' is invalid with details: 'Invalid value: \"" +
          name + "\": Unable to get value using Managed identity " + identity + " for secret " + name + "';."};
}

Answer<> read_entry(const json::value& value, AppSecrets::Draft& draft) {
  if (!value.is_object()) return invalid_secrets("must be objects.");
  const json::object& object = value.get_object();
  AppSecrets::Entry entry{text_member(object, "name"), text_member(object, "keyVaultUrl"), text_member(object, "identity")};
  if (entry.name.empty()) return invalid_secrets("must have a name.");
  const bool twice = std::ranges::any_of(draft.entries, [&](const AppSecrets::Entry& other) { return same_word(other.name, entry.name); });
  if (twice) return invalid_secrets("with name(s) '" + entry.name + "' are given more than once.");
  if (!entry.key_vault_url.empty()) {
    if (entry.identity.empty()) return invalid_secrets("with name(s) '" + entry.name + "' need an identity for their Key Vault reference.");
  } else {
    const json::value* inline_value = object.if_contains("value");
    if (!inline_value || !inline_value->is_string())
      return invalid_secrets("with name(s) '" + entry.name + "' are invalid: value or keyVaultUrl and identity should be provided.");
    draft.inline_values.insert_or_assign(entry.name, Secret::copy_of(inline_value->get_string()));
  }
  draft.entries.push_back(std::move(entry));
  return {};
}

// Seen at Azure: ids of identities come back in another letter case than they were written.
std::string shown_identity(std::string identity) {
  constexpr std::string_view written = "/resourceGroups/";
  constexpr std::string_view shown = "/resourcegroups/";
  const std::size_t at = identity.find(written);
  if (at != std::string::npos) identity.replace(at, written.size(), shown);
  return identity;
}

}  // namespace

Answer<AppSecrets::Draft> AppSecrets::read(const json::value& secrets) {
  Draft draft;
  if (secrets.is_null()) return draft;
  if (!secrets.is_array()) return invalid_secrets("must be a list.");
  for (const json::value& entry : secrets.get_array()) {
    if (const auto read = read_entry(entry, draft); !read) return read.error();
  }
  return draft;
}

std::string AppSecrets::principal_of(const Entry& entry) const {
  if (same_word(entry.identity, "system")) return "app:" + lower(app_);
  return "identity:" + lower(entry.identity.substr(entry.identity.rfind('/') + 1));
}

Sha256 AppSecrets::fingerprint(const Secret& value) const {
  return value.expose([&](std::string_view bytes) { return hmac_sha256(fingerprint_key_, bytes); });
}

Answer<> AppSecrets::check(const std::vector<Entry>& entries, ReferenceSource& source, Instant at) const {
  for (const Entry& entry : entries) {
    if (entry.key_vault_url.empty()) continue;
    if (const auto read = source.read(entry.key_vault_url, principal_of(entry), at); !read) return unreadable(entry.name, entry.identity);
  }
  return {};
}

bool AppSecrets::same_as(const Draft& draft) const {
  if (draft.entries != entries_) return false;
  return std::ranges::all_of(draft.inline_values, [&](const auto& sent) {
    const auto held = values_.find(sent.first);
    return held != values_.end() && held->second.value.equals(sent.second);
  });
}

void AppSecrets::adopt(Draft draft) {
  entries_ = std::move(draft.entries);
  std::erase_if(values_, [&](const auto& value) { return !contains(value.first); });
  for (auto& [name, value] : draft.inline_values) {
    const auto held = values_.find(name);
    if (held != values_.end() && held->second.value.equals(value)) continue;
    values_.insert_or_assign(name, Value{std::move(value), "inline-" + std::to_string(++inline_writes_)});
  }
}

std::set<std::string> AppSecrets::sync(ReferenceSource& source, Instant at, std::vector<SyncRecord>& records) {
  std::set<std::string> changed;
  for (const Entry& entry : entries_) {
    if (entry.key_vault_url.empty()) continue;
    Value& held = values_[entry.name];
    SyncRecord record{.at = at, .secret = entry.name};
    auto read = source.read(entry.key_vault_url, principal_of(entry), at);
    if (read) {
      record.succeeded = true;
      record.changed = !held.value.equals(read->value);
      if (record.changed) changed.insert(entry.name);
      held.value = std::move(read->value);
      held.version = std::move(read->version);
    } else {
      record.reason = read.error().inner_code.empty() ? read.error().code : read.error().inner_code;
    }
    record.version = held.version;
    records.push_back(std::move(record));
  }
  return changed;
}

bool AppSecrets::contains(std::string_view name) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.name == name; });
}

LoadedValues AppSecrets::loaded() const {
  LoadedValues out;
  for (const auto& [name, held] : values_) out.emplace(name, LoadedValue{held.version, fingerprint(held.value)});
  return out;
}

json::array AppSecrets::shown() const {
  json::array out;
  for (const Entry& entry : entries_) {
    json::object item{{"name", entry.name}};
    if (!entry.key_vault_url.empty()) {
      item["keyVaultUrl"] = entry.key_vault_url;
      item["identity"] = shown_identity(entry.identity);
    }
    out.push_back(std::move(item));
  }
  return out;
}

Secret AppSecrets::listing() const {
  SecretBuffer body;
  body.append(R"({"value":[)");
  for (const Entry& entry : entries_) {
    body.append(&entry == entries_.data() ? R"({"name":)" : R"(,{"name":)");
    append_json_string(body, entry.name);
    if (!entry.key_vault_url.empty()) {
      body.append(R"(,"keyVaultUrl":)");
      append_json_string(body, entry.key_vault_url);
      body.append(R"(,"identity":)");
      append_json_string(body, shown_identity(entry.identity));
    }
    body.append(R"(,"value":)");
    const auto held = values_.find(entry.name);
    const Secret nothing;
    (held == values_.end() ? nothing : held->second.value).expose([&](std::string_view value) { append_json_string(body, value); });
    body.append("}");
  }
  body.append("]}");
  return std::move(body).finish();
}

}  // namespace keyturn::sim
