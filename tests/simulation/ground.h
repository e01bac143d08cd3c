// The ground truth: what the vaults, systems and consumers of a world really hold, and how they answer. Nothing here knows of faults or
// of controllers; requests arrive, take effect at once, and whoever watches is told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "reconcilers/rotation/systems.h"
#include "tests/simulation/system.h"

namespace keyturn::simulation {

// One secret, and all that holds it. A world has one to three, which share nothing.
struct Subject {
  ObjectKey rotation;
  api::Protocol protocol = api::Protocol::Single;
  std::string secret;
  std::vector<std::string> vaults;
  std::vector<std::string> systems;
  std::vector<std::string> principals;
  std::vector<std::string> consumers;
};

struct StoredVersion {
  VaultVersion about;
  std::string value;
  std::optional<BootInstant> by_hand{};  // when somebody wrote it who is no controller
};
struct Vault {
  std::map<std::string, std::vector<StoredVersion>> secrets;  // oldest first
  bool read_only = false;

  const StoredVersion* newest(const std::string& secret) const;
  StoredVersion* find(const std::string& secret, const VersionId& version);
};
struct Application {
  std::size_t subject = 0;
  std::string vault;       // where it reads
  std::string value;       // what it has loaded
  VersionId loaded;        // which version that was
  VersionId resolved;      // what the platform would give it at the next start
  bool declared = true;    // false: no rotation names it; it restarts by itself now and then
  bool forgotten = false;  // people have left it out of the rotation, and answer for it themselves
  bool running = true;
  int starts = 0;
  Duration start_time{};
  bool sick = false;      // its health page says so, whatever is true
  bool lies = false;      // its health page says that all is well, whatever is true
  bool ill_next = false;  // it will be ill with the next other value that it loads, and well again with another one
  std::string ill_with;
};

// Told after each effect, with the state as it is by then; `published` and the like before `changed`.
class GroundWatcher {
 public:
  virtual ~GroundWatcher() = default;
  virtual void changed(std::size_t subject, const std::string& what) = 0;
  virtual void published(std::size_t subject, const StoredVersion& now, const StoredVersion* before) = 0;
  virtual void withdrawing(std::size_t subject, const Login& login) = 0;
  virtual void restarting(std::size_t subject, const std::string& value) = 0;
  virtual void logged_in(const std::string& system, const Login& login) = 0;
};

class Ground {
 public:
  // `clock` is the world's; both outlive the ground.
  Ground(Clock& clock, std::function<void(Duration, std::function<void()>)> later) : clock_(clock), later_(std::move(later)) {}

  std::vector<Subject> subjects;
  std::map<std::string, Vault> vaults;
  std::map<std::string, System> systems;
  std::map<std::string, Application> applications;
  GroundWatcher* watcher = nullptr;

  // What was there before Keyturn came: published, accepted and loaded everywhere.
  void found(std::size_t subject, const std::string& password);

  // ---- what requests of a controller do when they arrive
  Result<SecretVault::Latest> read_latest(const std::string& vault, const std::string& secret) const;
  Result<Secret> read(const std::string& vault, const std::string& secret, const VersionId& version);
  Result<std::vector<VaultVersion>> versions(const std::string& vault, const std::string& secret) const;
  Result<VaultVersion> append(const std::string& vault, const std::string& secret, const std::string& value, const VersionTags& tags);
  Result<> tag(const std::string& vault, const std::string& secret, const VersionId& version, const VersionTags& tags);
  Result<> set_enabled(const std::string& vault, const std::string& secret, const VersionId& version, bool enabled);
  ProbeResult probe(const std::string& system, const Login& login) const;
  void install(const std::string& system, const Login& login);
  void withdraw(const std::string& system, const Login& login);
  std::vector<std::string> held(const std::string& system) const { return systems.at(system).held(); }
  void mint(const std::string& system, int slot);
  Sessions sessions(const std::string& system, const std::string& principal) const;
  ConsumerFacts observe(const std::string& consumer, const VersionId& target) const;
  std::string converge(const std::string& consumer, const VersionId& target);
  ConsumerFacts baseline(const std::string& consumer) const;

  // ---- what happens by itself or by hand
  void ill_with_the_next(const std::string& consumer) { applications.at(consumer).ill_next = true; }
  void restart_by_itself(const std::string& consumer);
  // `alone`: what the principal had before goes, where it could have stayed.
  void set_by_hand(const std::string& system, const Login& login, bool alone);
  // The staged values of the subject are gone for good.
  void purge_staged(std::size_t subject);
  // Of shared keys, the password is the key. `owner` is another installation, or nobody.
  void publish_by_hand(std::size_t subject, const Login& login, const std::string& owner);

  // ---- looks at the truth, for oracles
  const StoredVersion* published(std::size_t subject, const std::string& vault) const;
  bool accepted_everywhere(std::size_t subject, const Login& login) const;

 private:
  // A value that a provider makes.
  std::string fresh();
  void dropped(const std::string& system, const std::vector<Login>& logins);
  std::size_t subject_of_system(const std::string& system) const;
  bool healthy(const Application& application) const;
  void begin_start(const std::string& consumer);
  void told(std::size_t subject, const std::string& what) const {
    if (watcher) watcher->changed(subject, what);
  }

  Clock& clock_;
  std::function<void(Duration, std::function<void()>)> later_;
  int versions_ = 0;
  int made_ = 0;
};

}  // namespace keyturn::simulation
