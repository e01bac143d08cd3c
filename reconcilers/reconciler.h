// The plug between the machine (controller/) and the domain: everything the machine knows of a reconciler.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/id.h"
#include "base/task.h"

namespace keyturn {

// What the queue does with the key next. An error returned instead means: again, with the item's back-off.
struct Outcome {
  std::optional<Duration> again_in;  // nothing = only when the object changes
  static Outcome done() { return {}; }
  static Outcome again(Duration delay) { return {delay}; }
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;
  // Brings the world one step nearer to what the object with this key wants. Level-triggered: called again after any change, any
  // restart, and `again_in`; never twice at once for one key. An object that is gone is a normal case.
  virtual Task<Outcome> reconcile(Context context, ObjectKey key) = 0;
};

enum class EventType : std::uint8_t { Normal, Warning };

// Events about an object, as `kubectl describe` shows them. Best effort; aggregated by the implementation. `reason` and `action` are
// CamelCase words of the closed list, `note` has no values.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void event(std::string_view kind, const ObjectKey& about, EventType type, std::string_view reason, std::string_view action,
                     std::string note) = 0;
};

}  // namespace keyturn
