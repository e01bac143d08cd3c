// What may go wrong with a rotation, told before anything is touched: part of what `keyturn plan` shows and of what its hash binds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/rotation_environment.h"
#include "api/secret_rotation.h"
#include "reconcilers/rotation/facts.h"

namespace keyturn {

// What is known of the targets beyond the environment's spec. Empty vectors = not looked at.
struct EnvironmentView {
  const api::RotationEnvironmentSpec* environment = nullptr;
  struct ConsumerView {
    std::string name;
    int replicas = -1;  // -1 = not known
    std::string refusal;
    bool unhealthy = false;
    std::vector<ConsumerFinding> findings;
  };
  std::vector<ConsumerView> consumers;
  SecretUsers users;                       // who refers to the secret where the consumers live; consumers are among them
  std::vector<std::string> vaults_denied;  // vaults whose versions of the secret may not be listed
  struct DependentView {
    std::string name;
    int live_values_per_principal = 1;
    Addressing addressing = Addressing::Value;
  };
  std::vector<DependentView> dependents;
};

enum class Severity : std::uint8_t { Info, Warning, Blocking };

struct Hazard {
  Severity severity = Severity::Info;
  std::string_view reason;  // a word of api/hazards.h; where it is Blocking, also a reason of api/reasons.h
  std::string target;       // a name of the spec, or "group/application" of something that is not declared; empty = the whole
  std::string message;
  bool operator==(const Hazard&) const = default;
};
using Hazards = std::vector<Hazard>;

// Pure; sorted by severity (worst first), then target.
Hazards hazards(const api::SecretRotationSpec& spec, const EnvironmentView& view);

std::string_view name_of(Severity severity) noexcept;

}  // namespace keyturn
