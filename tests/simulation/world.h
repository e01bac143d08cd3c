// One world: time, the store behind the API server, the ground truth, the network and the processes of the controller. It only lets
// things happen; what happens is chosen by a seed, a matrix or a transition.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/rotation_environment.h"
#include "controller/embedded/object_writer.h"
#include "controller/runtime/memory_store.h"
#include "tests/simulation/oracle.h"
#include "tests/simulation/process.h"
#include "tests/support/virtual_clock.h"

namespace keyturn::simulation {

struct SubjectSettings {
  api::Protocol protocol = api::Protocol::Dual;
  int vaults = 1;
  int systems = 1;
  int consumers = 2;
  bool stranger = false;  // one more that the rotation does not name, where the system tells who is logged in
};

struct WorldSettings {
  std::uint64_t seed = 0;
  std::vector<SubjectSettings> subjects;
  api::Timing timing;
  bool slow_to_start = false;  // consumers take minutes
  bool rates_differ = false;   // boot clocks may be off by the bound: the quarantine covers less
};

class World final : public Surroundings, public StoreServer {
 public:
  explicit World(WorldSettings settings);
  ~World() override;

  const WorldSettings& settings() const noexcept { return settings_; }
  Ground& ground() noexcept { return ground_; }
  Oracle& oracle() noexcept { return oracle_; }
  Trace& trace() noexcept { return trace_; }
  Faults& faults() override { return faults_; }
  const Faults& faults() const { return faults_; }
  Duration elapsed() const { return truth_.boot_now() - began_; }

  // ---- time
  // Lets everything happen within `span`, or until the oracle finds a violation. False = it did.
  bool run_for(Duration span);
  // The same in steps, until `reached` holds between two of them. False = it never did.
  bool run_until(const std::function<bool()>& reached, Duration at_most, Duration step);
  void later(Duration delay, std::function<void()> then) override;
  // A world that does not come to rest within so many events from now is a finding, not a hang.
  void must_rest_within(std::uint64_t events) { events_max_ = events_ + events; }

  // ---- processes
  // A process that crashed is started again after a while, with the clock it was given.
  void start_process(const std::string& name, std::int64_t rate = ProcessClock::exact, Duration wall_offset = {});
  void stop_process(const std::string& name);
  Process* process(const std::string& name);
  std::vector<std::string> process_names() const;
  void restart_after(Duration delay) { restart_after_ = delay; }

  // ---- what people do, through the API's own pipeline
  void declare(std::size_t subject, const api::SecretRotationSpec& spec) { declare(ground_.subjects[subject].rotation, spec); }
  void declare(const ObjectKey& rotation, const api::SecretRotationSpec& spec);
  void remove(const ObjectKey& rotation);
  std::optional<api::SecretRotation> rotation(std::size_t subject);
  api::SecretRotationSpec first_spec(std::size_t subject) const;
  void edit_environment(const std::function<void(api::RotationEnvironmentSpec&)>& edit);

  // ---- what goes wrong around processes
  void stop_system(const std::string& name) { down_.insert(name); }
  void restore_system(const std::string& name) { down_.erase(name); }
  void restore_all_systems() { down_.clear(); }
  void delay_watches(Duration delay) { stale_ = delay; }
  void close_watches() { store_.close_watches(); }
  // The journal as it is now, and as it was then.
  std::vector<StoredPtr> journal();
  void restore_journal(const std::vector<StoredPtr>& then);
  // Every stored body as text, for whoever looks for what must not be in it.
  std::string everything_stored();

  // ---- for links and stores
  bool reachable(const std::string& system) const override { return !down_.contains(system); }
  void note(const std::string& who, const std::string& what) override { trace_.note(elapsed(), who, what); }
  void leaving(const Request& request) override { oracle_.leaving(request.what); }
  void standing_still(Duration span) override { oracle_.standing_still(span); }
  Store& store() override { return store_; }
  Context context() override { return Context(truth_, "server"); }
  void run(boost::asio::awaitable<void> task) override;
  Duration watch_delay() override;
  void written(const Resource& resource, const StoredPtr& object, const std::string& by) override;

 private:
  void settle();
  void lay_ground();
  void restart_now_and_then(const std::string& consumer);
  api::RotationEnvironment environment() const;
  template <class T>
  Result<T> ask(Task<T> call);

  WorldSettings settings_;
  VirtualClock truth_;
  BootInstant began_;
  Trace trace_;
  Faults faults_;
  Draw latency_;
  SeededRandom users_;
  std::map<std::uint64_t, Timer> flights_;
  std::uint64_t flown_ = 0;
  boost::asio::io_context server_;
  MemoryStore store_;
  Ground ground_;
  Oracle oracle_;
  embedded::WritePipeline pipeline_;
  embedded::ObjectWriter writer_;
  std::set<std::string> down_;
  Duration stale_{};
  Duration restart_after_ = std::chrono::seconds(10);
  int started_ = 0;
  std::uint64_t events_max_ = 0;
  std::uint64_t events_ = 0;
  struct Place {
    std::int64_t rate = ProcessClock::exact;
    Duration wall_offset{};
    std::unique_ptr<Process> process;
  };
  std::map<std::string, Place> processes_;
};

}  // namespace keyturn::simulation
