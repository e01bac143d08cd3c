// One process of the controller: the real informer, queue, controller, reconciler and records, with a clock, a loop and a network of its
// own. It can end at any moment, stand still, and a new one can be started in its place.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "controller/embedded/object_writer.h"
#include "controller/runtime/controller.h"
#include "controller/runtime/informer.h"
#include "controller/store_records.h"
#include "reconcilers/rotation/reconciler.h"
#include "tests/simulation/process_clock.h"
#include "tests/simulation/remote_store.h"
#include "tests/simulation/remote_systems.h"

namespace keyturn::simulation {

struct ProcessOptions {
  std::string name;  // "leader-1", for the trace
  std::uint64_t seed = 0;
  std::int64_t rate = ProcessClock::exact;
  Duration wall_offset{};
};

// What a process shares with all others; it outlives them.
struct Outside {
  Surroundings& world;
  StoreServer& server;
  Ground& ground;
  Trace& trace;
  Clock& truth;
};

class Process final : public Endpoint, private Recorder {
 public:
  Process(Outside outside, ProcessOptions options);
  ~Process() override;  // takes it down at once, if it was not

  // Runs what is ready until nothing is, or until it ends or stands still. True when something ran.
  bool run();
  bool suspended() const;
  ProcessClock& clock() noexcept { return clock_; }

  const std::string& name() const override { return options_.name; }
  boost::asio::any_io_executor executor() override { return io_.get_executor(); }
  bool dead() const override { return dead_; }
  void crash(const std::string& where) override;
  void suspend(Duration span) override;

 private:
  void event(std::string_view kind, const ObjectKey& about, EventType type, std::string_view reason, std::string_view action,
             std::string note) override;
  Awaitable<> begin();
  Awaitable<> wind_down();
  std::vector<ObjectKey> rotations_in(const StoredObject& environment) const;

  Outside outside_;
  ProcessOptions options_;
  boost::asio::io_context io_{1};
  ProcessClock clock_;
  SeededRandom random_;
  Link link_;
  RemoteStore store_;
  embedded::WritePipeline pipeline_;
  embedded::ObjectWriter writer_;
  StoreRecords records_;
  RemoteCatalog catalog_;
  UtcOnly zones_;
  RotationReconciler reconciler_;
  Informer rotations_;
  Informer environments_;
  Controller controller_;
  BootInstant resumes_{};
  bool dead_ = false;
  TaskGroup tasks_;
};

}  // namespace keyturn::simulation
