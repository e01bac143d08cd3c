// The words of the API for enumerators: the codec, the schema and name_of() share this one table.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_environment.h"
#include "api/rotation_run.h"
#include "api/secret_rotation.h"

namespace keyturn::api {

// Words<E>::all holds the word of every enumerator of E, at the index of its value. `last` is the last enumerator: the two
// must agree in number.
template <class E>
struct Words;

template <class E>
concept Worded = requires {
  Words<E>::all;
  requires Words<E>::all.size() == static_cast<std::size_t>(Words<E>::last) + 1;
};

template <Worded E>
constexpr std::string_view word_of(E value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < Words<E>::all.size() ? Words<E>::all[index] : std::string_view("Unknown");
}

template <Worded E>
constexpr std::optional<E> parse_word(std::string_view word) noexcept {
  for (std::size_t index = 0; index < Words<E>::all.size(); ++index) {
    if (Words<E>::all[index] == word) {
      return static_cast<E>(index);
    }
  }
  return std::nullopt;
}

// All words, for the schema's `enum`.
template <Worded E>
std::vector<std::string> words() {
  return {Words<E>::all.begin(), Words<E>::all.end()};
}

// On the wire `approval` is a word, because a third way to approve may come.
enum class Approval : std::uint8_t { None, Required };

template <>
struct Words<Tristate> {
  static constexpr Tristate last = Tristate::True;
  static constexpr std::array<std::string_view, 3> all{"Unknown", "False", "True"};
};
template <>
struct Words<Reason> {
  static constexpr Reason last = Reason::Drill;
  static constexpr std::array<std::string_view, 5> all{"Routine", "SuspectedCompromise", "ConfirmedCompromise", "Offboarding", "Drill"};
};
template <>
struct Words<SecretClass> {
  static constexpr SecretClass last = SecretClass::EncryptionKey;
  static constexpr std::array<std::string_view, 4> all{"Credential", "SharedKey", "Reminder", "EncryptionKey"};
};
template <>
struct Words<FormatType> {
  static constexpr FormatType last = FormatType::KeySet;
  static constexpr std::array<std::string_view, 5> all{"Opaque", "AdoNetConnectionString", "Url", "Json", "KeySet"};
};
template <>
struct Words<GeneratorType> {
  static constexpr GeneratorType last = GeneratorType::ProviderMinted;
  static constexpr std::array<std::string_view, 5> all{"Password", "Hex", "Uuid", "Base64", "ProviderMinted"};
};
template <>
struct Words<ReloadMode> {
  static constexpr ReloadMode last = ReloadMode::Poll;
  static constexpr std::array<std::string_view, 2> all{"Restart", "Poll"};
};
template <>
struct Words<StrategyType> {
  static constexpr StrategyType last = StrategyType::InPlace;
  static constexpr std::array<std::string_view, 3> all{"Auto", "DualCredential", "InPlace"};
};
template <>
struct Words<OnFailure> {
  static constexpr OnFailure last = OnFailure::Hold;
  static constexpr std::array<std::string_view, 2> all{"Rollback", "Hold"};
};
template <>
struct Words<DriftPolicy> {
  static constexpr DriftPolicy last = DriftPolicy::Enforce;
  static constexpr std::array<std::string_view, 2> all{"Report", "Enforce"};
};
template <>
struct Words<SharedKeyMode> {
  static constexpr SharedKeyMode last = SharedKeyMode::AcknowledgedWindow;
  static constexpr std::array<std::string_view, 2> all{"AcceptSet", "AcknowledgedWindow"};
};
template <>
struct Words<DeletionPolicy> {
  static constexpr DeletionPolicy last = DeletionPolicy::Revoke;
  static constexpr std::array<std::string_view, 2> all{"Retain", "Revoke"};
};
template <>
struct Words<Weekday> {
  static constexpr Weekday last = Weekday::Sun;
  static constexpr std::array<std::string_view, 7> all{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
};
template <>
struct Words<CredentialState> {
  static constexpr CredentialState last = CredentialState::Rejected;
  static constexpr std::array<std::string_view, 6> all{"Candidate", "Current", "Previous", "Retired", "Revoked", "Rejected"};
};
template <>
struct Words<Cloud> {
  static constexpr Cloud last = Cloud::Custom;
  static constexpr std::array<std::string_view, 4> all{"Public", "USGovernment", "China", "Custom"};
};
template <>
struct Words<IdentityType> {
  static constexpr IdentityType last = IdentityType::AzureCli;
  static constexpr std::array<std::string_view, 5> all{"WorkloadIdentity", "ManagedIdentity", "ClientCertificate", "ClientSecret",
                                                       "AzureCli"};
};
template <>
struct Words<TlsMode> {
  static constexpr TlsMode last = TlsMode::LoopbackPlain;
  static constexpr std::array<std::string_view, 2> all{"Verify", "LoopbackPlain"};
};
template <>
struct Words<ReferenceMode> {
  static constexpr ReferenceMode last = ReferenceMode::Pinned;
  static constexpr std::array<std::string_view, 2> all{"Versionless", "Pinned"};
};
template <>
struct Words<DataProtection> {
  static constexpr DataProtection last = DataProtection::NotUsed;
  static constexpr std::array<std::string_view, 3> all{"Detect", "Persisted", "NotUsed"};
};
template <>
struct Words<RecordType> {
  static constexpr RecordType last = RecordType::Webhook;
  static constexpr std::array<std::string_view, 3> all{"AzureDevOpsWiki", "JsonLines", "Webhook"};
};
template <>
struct Words<Direction> {
  static constexpr Direction last = Direction::Repair;
  static constexpr std::array<std::string_view, 3> all{"Forward", "Back", "Repair"};
};
template <>
struct Words<Phase> {
  static constexpr Phase last = Phase::Abandoned;
  static constexpr std::array<std::string_view, 14> all{"Admitted",    "Staging",     "Minting",    "Pinned",   "Switching",
                                                        "Publishing",  "Rolling",     "Verifying",  "Retiring", "Succeeded",
                                                        "RollingBack", "Withdrawing", "RolledBack", "Abandoned"};
};
template <>
struct Words<Protocol> {
  static constexpr Protocol last = Protocol::SharedKey;
  static constexpr std::array<std::string_view, 6> all{"Single", "Dual", "Alternating", "Slots", "Shift", "SharedKey"};
};
template <>
struct Words<TargetKind> {
  static constexpr TargetKind last = TargetKind::Consumer;
  static constexpr std::array<std::string_view, 3> all{"Vault", "Dependent", "Consumer"};
};
template <>
struct Words<Approval> {
  static constexpr Approval last = Approval::Required;
  static constexpr std::array<std::string_view, 2> all{"None", "Required"};
};

}  // namespace keyturn::api
