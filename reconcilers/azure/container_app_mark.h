// How far a container app was brought towards one version: the journal's opaque mark of this adapter. Everything in it is public, and
// evidence is derived from it and from what is seen now, never from memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/secret_rotation.h"
#include "base/id.h"
#include "reconcilers/azure/arm.h"

namespace keyturn {

struct ConvergenceMark {
  enum class Stage : std::uint8_t {
    Refused,  // the platform could not read the reference when it was asked to, at `at`
    Waiting,  // reload: Poll. Nothing was written; the platform's own sync after `at` is awaited
    Writing,  // a write was accepted at `at`; `operation` tells its end
    Synced,   // the platform had read the reference by `at` (T_sync of azure.md 2.6)
  };
  VersionId version;
  api::ReloadMode reload = api::ReloadMode::Restart;
  std::string references;  // references_fingerprint of what was written
  std::string errors;      // AppView::errors_fingerprint before the write: a difference belongs to it
  Stage stage = Stage::Waiting;
  Instant at{};                           // by the server's clock, as all times here
  std::optional<ArmOperation> operation;  // Writing
  std::optional<Instant> restarted;       // Synced: the last restart that we asked for
  std::vector<std::string> revisions;     // Synced: those whose restart we asked for
  bool operator==(const ConvergenceMark&) const = default;
};

// "v1;version=...;reload=restart;refs=...;errors=...;synced=2026-01-02T03:04:05Z;restarted=...;revisions=a,b"
std::string format_mark(const ConvergenceMark& mark);

// Strict: exactly what format_mark writes, or nothing. A mark that cannot be read is the same as none: converging starts over, which is
// idempotent.
inline constexpr std::size_t mark_bytes_max = 16'384;
std::optional<ConvergenceMark> parse_mark(std::string_view text);

}  // namespace keyturn
