// What no single field of a SecretRotation can say. Each rule stands twice, side by side: as the CEL text that the CRD carries, and as
// the same rule in C++. tests/unit/api/rules_test.cpp holds both to one table of cases.
#include <algorithm>

#include "api/json_view.h"
#include "api/schema_kinds.h"
#include "base/time.h"

namespace keyturn::api::schema {
namespace {

namespace json = boost::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

bool is_class(const json::object& spec, std::string_view word) { return text_of(spec, "class") == word; }

bool two_principals(const json::value& dependent) { return list_of(dependent.get_object(), "principals").size() >= 2; }
bool any_two_principals(const json::object& spec) { return std::ranges::any_of(list_of(spec, "dependents"), two_principals); }

// A duration that is absent is not judged; one that cannot be read is wrong.
bool within(const json::object& object, std::string_view name, Duration least, Duration most) {
  if (!has(object, name)) {
    return true;
  }
  const auto value = parse_duration(text_of(object, name));
  return value && *value >= least && *value <= most;
}

bool is_not_encryption_key(const json::object& spec) { return !is_class(spec, "EncryptionKey"); }
bool reminder_touches_nothing(const json::object& spec) {
  return !is_class(spec, "Reminder") || (list_of(spec, "dependents").empty() && list_of(spec, "consumers").empty());
}
bool reminder_has_schedule(const json::object& spec) { return !is_class(spec, "Reminder") || has(spec, "schedule"); }
bool shared_key_has_no_dependents(const json::object& spec) { return !is_class(spec, "SharedKey") || list_of(spec, "dependents").empty(); }
bool window_is_for_shared_keys(const json::object& spec) {
  return is_class(spec, "SharedKey") || text_of(object_of(spec, "strategy"), "sharedKey") != "AcknowledgedWindow";
}
bool window_is_acknowledged(const json::object& strategy) {
  return text_of(strategy, "sharedKey") != "AcknowledgedWindow" || flag_of(strategy, "acknowledgeOutage");
}
bool in_place_is_acknowledged(const json::object& strategy) {
  return text_of(strategy, "type") != "InPlace" || flag_of(strategy, "acknowledgeOutage");
}
bool in_place_has_one_principal(const json::object& spec) {
  return text_of(object_of(spec, "strategy"), "type") != "InPlace" || !any_two_principals(spec);
}

const json::object& format_of(const json::object& spec) { return object_of(object_of(spec, "secret"), "format"); }
bool is_opaque(const json::object& format) { return !has(format, "type") || text_of(format, "type") == "Opaque"; }
bool has_named_fields(const json::object& format) {
  return text_of(format, "type") == "AdoNetConnectionString" || text_of(format, "type") == "Json";
}
bool two_principals_need_a_format(const json::object& spec) { return !any_two_principals(spec) || !is_opaque(format_of(spec)); }
bool two_principals_need_a_user_field(const json::object& spec) {
  return !any_two_principals(spec) || !has_named_fields(format_of(spec)) || has(format_of(spec), "userField");
}
bool named_fields_are_named(const json::object& format) { return !has_named_fields(format) || has(format, "passwordField"); }
bool fields_are_for_named_formats(const json::object& format) {
  return has_named_fields(format) || (!has(format, "passwordField") && !has(format, "userField"));
}
bool json_fields_are_pointers(const json::object& format) {
  const auto is_pointer = [&format](std::string_view name) { return !has(format, name) || text_of(format, name).starts_with('/'); };
  return text_of(format, "type") != "Json" || (is_pointer("passwordField") && is_pointer("userField"));
}

bool canaries_are_consumers(const json::object& spec) {
  const auto& consumers = list_of(spec, "consumers");
  const auto& canaries = list_of(object_of(object_of(spec, "strategy"), "waves"), "canary");
  return std::ranges::all_of(canaries, [&consumers](const json::value& canary) {
    return std::ranges::any_of(consumers, [&canary](const json::value& consumer) {
      return text_of(consumer.get_object(), "name") == std::string_view(canary.get_string());
    });
  });
}
bool consumers_read_a_vault_of_the_secret(const json::object& spec) {
  const auto& vaults = list_of(object_of(spec, "secret"), "vaults");
  return std::ranges::all_of(list_of(spec, "consumers"), [&vaults](const json::value& consumer) {
    return !has(consumer.get_object(), "vault") || std::ranges::any_of(vaults, [&consumer](const json::value& vault) {
      return std::string_view(vault.get_string()) == text_of(consumer.get_object(), "vault");
    });
  });
}
bool accept_set_is_a_key_set(const json::object& spec) {
  const bool accept_set = is_class(spec, "SharedKey") && text_of(object_of(spec, "strategy"), "sharedKey") != "AcknowledgedWindow";
  return accept_set == (text_of(format_of(spec), "type") == "KeySet");
}
bool is_minted(const json::object& spec) { return text_of(object_of(spec, "generator"), "type") == "ProviderMinted"; }
bool revoke_old_is_for_minted(const json::object& spec) { return !flag_of(object_of(spec, "strategy"), "revokeOld") || is_minted(spec); }
bool minted_has_a_minter(const json::object& spec) { return !is_minted(spec) || !list_of(spec, "dependents").empty(); }
bool bytes_are_few(const json::object& generator) {
  constexpr std::int64_t bytes_max = 64;
  const auto type = text_of(generator, "type");
  const auto* length = generator.if_contains("length");
  const bool counts_bytes = type == "Hex" || type == "Base64";
  return !counts_bytes || length == nullptr || length->to_number<std::int64_t>() <= bytes_max;
}

bool deletion_retains(const json::object& spec) { return text_of(spec, "deletionPolicy") != "Revoke"; }
bool every_is_bounded(const json::object& schedule) { return within(schedule, "every", minutes(1), hours(87600)); }
bool window_is_bounded(const json::object& window) { return within(window, "duration", minutes(1), hours(24)); }
bool overlap_is_bounded(const json::object& strategy) { return within(strategy, "overlap", seconds(0), hours(2160)); }
bool deadline_is_bounded(const json::object& strategy) { return within(strategy, "progressDeadline", seconds(1), hours(168)); }
bool hold_is_bounded(const json::object& strategy) { return within(strategy, "rollbackHold", seconds(0), hours(2160)); }
bool bake_is_bounded(const json::object& waves) { return within(waves, "bake", seconds(0), hours(168)); }
bool overlap_ends_before_the_next(const json::object& spec) {
  const auto& schedule = object_of(spec, "schedule");
  const auto& strategy = object_of(spec, "strategy");
  if (!has(schedule, "every") || !has(strategy, "overlap")) {
    return true;
  }
  const auto every = parse_duration(text_of(schedule, "every"));
  const auto overlap = parse_duration(text_of(strategy, "overlap"));
  return every && overlap && *overlap < *every;
}

}  // namespace

std::vector<Rule> secret_rotation_rules() {
  return {
      {"spec", ".class", "!has(self.class) || self.class != 'EncryptionKey'",
       "class EncryptionKey is refused: what the old key has encrypted cannot be read with a new one, so rotating it destroys data; "
       "re-encrypt with the system that owns the data, and write class Reminder here to track the key's age",
       is_not_encryption_key},
      {"spec", ".class",
       "!has(self.class) || self.class != 'Reminder' || "
       "((!has(self.dependents) || size(self.dependents) == 0) && (!has(self.consumers) || size(self.consumers) == 0))",
       "class Reminder only tracks an age and changes nothing: remove dependents and consumers, or write class Credential",
       reminder_touches_nothing},
      {"spec", ".class", "!has(self.class) || self.class != 'Reminder' || has(self.schedule)",
       "class Reminder needs to know when to remind: add schedule, as in schedule: {every: 2160h}", reminder_has_schedule},
      {"spec", ".class", "!has(self.class) || self.class != 'SharedKey' || !has(self.dependents) || size(self.dependents) == 0",
       "class SharedKey is checked by the services themselves and has no dependents: remove dependents, or write class Credential",
       shared_key_has_no_dependents},
      {"spec", ".strategy",
       "(has(self.class) && self.class == 'SharedKey') || !has(self.strategy) || !has(self.strategy.sharedKey) || "
       "self.strategy.sharedKey != 'AcknowledgedWindow'",
       "sharedKey AcknowledgedWindow is for class SharedKey only: write class SharedKey, or remove sharedKey", window_is_for_shared_keys},
      {"spec.strategy", ".acknowledgeOutage",
       "!has(self.sharedKey) || self.sharedKey != 'AcknowledgedWindow' || (has(self.acknowledgeOutage) && self.acknowledgeOutage)",
       "sharedKey AcknowledgedWindow has a moment in which services refuse each other: write acknowledgeOutage: true, or sharedKey: "
       "AcceptSet",
       window_is_acknowledged},
      {"spec", ".secret",
       "((has(self.class) && self.class == 'SharedKey') && !(has(self.strategy) && has(self.strategy.sharedKey) && "
       "self.strategy.sharedKey == 'AcknowledgedWindow')) == (has(self.secret.format) && has(self.secret.format.type) && "
       "self.secret.format.type == 'KeySet')",
       "class SharedKey with an accept-set is kept as format KeySet, and nothing else is: write format: {type: KeySet}, or sharedKey: "
       "AcknowledgedWindow for services that hold one key",
       accept_set_is_a_key_set},
      {"spec", ".consumers", "!has(self.consumers) || self.consumers.all(c, !has(c.vault) || c.vault in self.secret.vaults)",
       "a consumer reads one of the vaults that the secret is published in: name one of secret.vaults, or remove the consumer's vault",
       consumers_read_a_vault_of_the_secret},
      {"spec.strategy", ".acknowledgeOutage",
       "!has(self.type) || self.type != 'InPlace' || (has(self.acknowledgeOutage) && self.acknowledgeOutage)",
       "type InPlace has a moment in which the published value is refused: write acknowledgeOutage: true, or type: Auto and two principals",
       in_place_is_acknowledged},
      {"spec", ".strategy",
       "!has(self.strategy) || !has(self.strategy.type) || self.strategy.type != 'InPlace' || !has(self.dependents) || "
       "self.dependents.all(d, !has(d.principals) || size(d.principals) < 2)",
       "type InPlace replaces the password of one principal: name one principal, or write type: Auto so that the two alternate",
       in_place_has_one_principal},
      {"spec", ".secret",
       "!has(self.dependents) || self.dependents.all(d, !has(d.principals) || size(d.principals) < 2) || "
       "(has(self.secret.format) && has(self.secret.format.type) && self.secret.format.type != 'Opaque')",
       "two principals alternate, and format Opaque has no place for the user name: write format: {type: AdoNetConnectionString, Url or "
       "Json}, or name one principal",
       two_principals_need_a_format},
      {"spec", ".secret",
       "!has(self.dependents) || self.dependents.all(d, !has(d.principals) || size(d.principals) < 2) || "
       "!has(self.secret.format) || !has(self.secret.format.type) || !(self.secret.format.type in ['AdoNetConnectionString', 'Json']) || "
       "has(self.secret.format.userField)",
       "two principals alternate, so the user name must be written too: add format.userField, as in User Id or /redis/user",
       two_principals_need_a_user_field},
      {"spec.secret.format", "", "!has(self.type) || !(self.type in ['AdoNetConnectionString', 'Json']) || has(self.passwordField)",
       "this format has named fields: add passwordField, as in Password or /redis/password", named_fields_are_named},
      {"spec.secret.format", "",
       "(has(self.type) && self.type in ['AdoNetConnectionString', 'Json']) || (!has(self.passwordField) && !has(self.userField))",
       "formats Opaque and Url have no named fields: remove passwordField and userField, or write type AdoNetConnectionString or Json",
       fields_are_for_named_formats},
      {"spec.secret.format", "",
       "!has(self.type) || self.type != 'Json' || ((!has(self.passwordField) || self.passwordField.startsWith('/')) && "
       "(!has(self.userField) || self.userField.startsWith('/')))",
       "fields of format Json are JSON pointers: begin them with a slash, as in /redis/password", json_fields_are_pointers},
      {"spec", ".strategy",
       "!has(self.strategy) || !has(self.strategy.waves) || !has(self.strategy.waves.canary) || "
       "self.strategy.waves.canary.all(c, has(self.consumers) && self.consumers.exists(k, k.name == c))",
       "every canary must be a consumer of this rotation: add it to consumers, or remove it from strategy.waves.canary",
       canaries_are_consumers},
      {"spec", ".strategy",
       "!has(self.strategy) || !has(self.strategy.revokeOld) || !self.strategy.revokeOld || "
       "(has(self.generator) && has(self.generator.type) && self.generator.type == 'ProviderMinted')",
       "revokeOld mints the other slot of a provider: write generator: {type: ProviderMinted}, or remove revokeOld",
       revoke_old_is_for_minted},
      {"spec", ".generator",
       "!has(self.generator) || !has(self.generator.type) || self.generator.type != 'ProviderMinted' || "
       "(has(self.dependents) && size(self.dependents) > 0)",
       "generator ProviderMinted lets a system make the value: name the system in dependents, or write another type", minted_has_a_minter},
      {"spec", ".deletionPolicy", "!has(self.deletionPolicy) || self.deletionPolicy != 'Revoke'",
       "deletionPolicy Revoke is not supported by this version: write Retain, and after the deletion revoke the credential at its systems "
       "by hand",
       deletion_retains},
      {"spec.generator", ".length", "!has(self.type) || !(self.type in ['Hex', 'Base64']) || !has(self.length) || self.length <= 64",
       "length counts bytes for Hex and Base64: write 16 to 64, as in 24", bytes_are_few},
      {"spec.schedule", ".every", "duration(self.every) >= duration('1m') && duration(self.every) <= duration('87600h')",
       "must be from 1m to 87600h: write 2160h for 90 days", every_is_bounded},
      {"spec.schedule.windows[]", ".duration", "duration(self.duration) >= duration('1m') && duration(self.duration) <= duration('24h')",
       "must be from 1m to 24h: write 4h, for example; to have no windows, remove windows", window_is_bounded},
      {"spec.strategy", ".overlap",
       "!has(self.overlap) || (duration(self.overlap) >= duration('0s') && duration(self.overlap) <= duration('2160h'))",
       "must be from 0s to 2160h: write 24h, for example", overlap_is_bounded},
      {"spec.strategy", ".progressDeadline",
       "!has(self.progressDeadline) || (duration(self.progressDeadline) >= duration('1s') && duration(self.progressDeadline) <= "
       "duration('168h'))",
       "must be from 1s to 168h: write 1h, for example", deadline_is_bounded},
      {"spec.strategy", ".rollbackHold",
       "!has(self.rollbackHold) || (duration(self.rollbackHold) >= duration('0s') && duration(self.rollbackHold) <= duration('2160h'))",
       "must be from 0s to 2160h: write 24h, for example", hold_is_bounded},
      {"spec.strategy.waves", ".bake",
       "!has(self.bake) || (duration(self.bake) >= duration('0s') && duration(self.bake) <= duration('168h'))",
       "must be from 0s to 168h: write 10m, for example", bake_is_bounded},
      {"spec", ".strategy",
       "!has(self.schedule) || !has(self.strategy) || !has(self.strategy.overlap) || duration(self.strategy.overlap) < "
       "duration(self.schedule.every)",
       "the old credential would outlive the next rotation: write strategy.overlap shorter than schedule.every",
       overlap_ends_before_the_next},
  };
}

}  // namespace keyturn::api::schema
