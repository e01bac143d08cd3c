// What was seen of a container app, judged: which act is due, and whether its copies are proven. Pure, so that a table can test it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/azure/container_app_mark.h"
#include "reconcilers/azure/container_app_view.h"
#include "reconcilers/azure/health_probe.h"
#include "reconcilers/rotation/systems.h"

namespace keyturn {

// What the judgement goes by. All times are compared on the server's clock.
struct AppRules {
  api::ReferenceMode reference = api::ReferenceMode::Versionless;
  Duration platform_sync{1'860'000};     // the platform reads references again within this: 30 min, plus margin
  Duration settle{2'000};                // between T_sync and our restart, so that createdTime > T_sync by construction (CA-A1)
  Duration start_grace{60'000};          // a copy younger than this may still look unhealthy
  Duration start_deadline{600'000};      // a copy older than this must be ready
  Duration restart_patience{300'000};    // a restart that changed nothing for so long is asked for again
  Duration refusal_hold{60'000};         // a refused reference is tried again after this
  Duration operation_deadline{900'000};  // an operation that has not ended by then is given up: the write is repeated
  Duration state_only_settle{30'000};    // an operation seen by provisioningState alone may look finished before it began
  int restarts_max = 3;                  // of one container; more is a crash loop
};

// One look. `revisions` holds the active ones only.
struct AppSnapshot {
  AppView app;
  std::vector<AppRevision> revisions;
  std::optional<OperationState> operation;  // of a mark that is Writing
};

// A target with its vault's address parsed.
struct AppTarget {
  net::Origin vault;
  std::string secret;
  VersionId version;
  api::ReloadMode reload = api::ReloadMode::Restart;
};

enum class AppActKind : std::uint8_t {
  None,             // nothing for us to do now
  Write,            // write the references, so that the platform reads them
  FollowOperation,  // the write's operation has ended: record when
  BeginWaiting,     // reload: Poll. Record from when on the platform's own sync counts
  Restart,          // restart `revision`
};
struct AppAct {
  AppActKind kind = AppActKind::None;
  std::string revision;
};

// The mark, if it is about this target; otherwise converging starts over.
std::optional<ConvergenceMark> mark_for(const AppTarget& target, std::string_view mark);

// A reason of api/reasons.h why a write cannot work, or empty. `mark` may be null.
std::string_view app_refusal(const AppView& app, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules);

// The one act that is due. Consistent with judge_app: an act is due exactly when the state is Stale and nothing refuses it.
AppAct next_app_act(const AppSnapshot& seen, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules);

// Health alone, of every active copy: Proven means healthy here. `health` nothing = no external check, or not asked yet.
ConsumerFacts judge_app_health(const AppSnapshot& seen, const AppRules& rules, std::optional<Health> health);
// Facts against the target.
ConsumerFacts judge_app(const AppSnapshot& seen, const AppTarget& target, const ConvergenceMark* mark, const AppRules& rules,
                        std::optional<Health> health);

}  // namespace keyturn
