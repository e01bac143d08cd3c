#include "tests/simulation/process.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>

#include "api/codec.h"

namespace keyturn::simulation {
namespace {

const Resource rotation_resource{std::string(api::group), std::string(api::SecretRotation::plural)};
const Resource environment_resource{std::string(api::group), std::string(api::RotationEnvironment::plural)};

}  // namespace

Process::Process(Outside outside, ProcessOptions options)
    : outside_(outside),
      options_(std::move(options)),
      clock_(outside.truth, io_.get_executor(), options_.rate),
      random_(options_.seed),
      link_(outside.world, *this),
      store_(link_, outside.server),
      pipeline_(clock_, random_, store_, {}),
      writer_(pipeline_, store_),
      records_(store_, writer_, random_),
      catalog_(link_, outside.ground, outside.trace),
      reconciler_(RotationPorts{records_, catalog_, random_, *this, zones_}, clock_, EpochId{random_.uuid()}),
      rotations_(io_.get_executor(), clock_, random_, store_, rotation_resource),
      environments_(io_.get_executor(), clock_, random_, store_, environment_resource),
      controller_(io_.get_executor(), clock_, reconciler_, ControllerOptions{.name = "secretrotation", .workers = 2}),
      tasks_(io_.get_executor()) {
  clock_.set_wall_offset(options_.wall_offset);
  rotations_.add_index("environment", [](const StoredObject& object) {
    const auto decoded = api::decode_secret_rotation(object.body);
    return decoded ? std::vector<std::string>{decoded->spec.environment} : std::vector<std::string>{};
  });
  controller_.watch(rotations_);
  controller_.watch_mapped(environments_, [this](const StoredObject& environment) { return rotations_in(environment); }, changes_intent);
  rotations_.start();
  environments_.start();
  tasks_.spawn("begin", [this] { return begin(); });
  outside_.world.note(name(), "starts");
}

// Nothing that happens in here is seen outside: the link of a dead process carries nothing.
Process::~Process() {
  dead_ = true;
  clock_.stop_waiting();
  bool down = false;
  boost::asio::co_spawn(io_, wind_down(), [&down](std::exception_ptr) { down = true; });
  io_.restart();
  while (io_.poll() > 0) {
  }
  if (!down) std::abort();
}

Awaitable<> Process::begin() {
  for (;;) {
    auto started = co_await controller_.start();
    if (started) co_return;
    co_await clock_.sleep_for(std::chrono::seconds(5));  // a real process would end here and be started again
  }
}

Awaitable<> Process::wind_down() {
  co_await tasks_.stop(clock_, Duration{0});
  co_await controller_.stop(Duration{0});
  co_await rotations_.stop(Duration{0});
  co_await environments_.stop(Duration{0});
}

bool Process::run() {
  bool ran = false;
  if (io_.stopped()) io_.restart();
  while (!dead_ && !suspended() && io_.poll_one() > 0) ran = true;
  return ran;
}

bool Process::suspended() const { return outside_.truth.boot_now() < resumes_; }

void Process::crash(const std::string& where) {
  if (dead_) return;
  dead_ = true;
  outside_.world.note(name(), "crashes " + where);
}

void Process::suspend(Duration span) {
  resumes_ = std::max(resumes_, outside_.truth.boot_now() + span);
  outside_.world.note(name(), "stands still for " + format_duration(span));
  outside_.world.standing_still(span);
  outside_.world.later(span, [] {});  // so that the world wakes up with it
}

void Process::event(std::string_view, const ObjectKey& about, EventType, std::string_view reason, std::string_view action,
                    std::string note) {
  outside_.world.note(name(), about.name + " " + std::string(action) + " " + std::string(reason) + ": " + note);
}

std::vector<ObjectKey> Process::rotations_in(const StoredObject& environment) const {
  std::vector<ObjectKey> keys;
  for (const StoredPtr& rotation : rotations_.by_index("environment", environment.key.name)) keys.push_back(rotation->key);
  return keys;
}

}  // namespace keyturn::simulation
