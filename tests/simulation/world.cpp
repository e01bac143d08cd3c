#include "tests/simulation/world.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <stdexcept>

#include "api/codec.h"
#include "controller/embedded/namespaces.h"

namespace keyturn::simulation {
namespace {

namespace json = boost::json;

const Resource rotation_resource{std::string(api::group), std::string(api::SecretRotation::plural)};
const Resource environment_resource{std::string(api::group), std::string(api::RotationEnvironment::plural)};
const Resource journal_resource{std::string(api::group), std::string(api::RotationRun::plural)};
const std::string environment_name = "shop";
const std::string staging_vault = "vault-staging";
const std::string store_name = "0d1cf7a6-4d3f-4bbd-8f3e-6a4d7f0f5a11";

Patience patience_of(const WorldSettings& settings) {
  const api::Timing& timing = settings.timing;
  const Duration quarantine = timing.quarantine();
  // A clock that runs fast by the bound waits less than it believes; what is left is what the terms without slack need.
  const Duration latest =
      settings.rates_differ ? timing.request + timing.server_residual : quarantine - timing.issue - std::chrono::seconds(1);
  return {.request = timing.request, .latest = latest, .quarantine = quarantine};
}

std::string numbered(std::string_view what, int number) { return std::string(what) + "-" + std::to_string(number); }

}  // namespace

World::World(WorldSettings settings)
    : settings_(std::move(settings)),
      began_(truth_.boot_now()),
      faults_(settings_.seed, patience_of(settings_)),
      latency_(settings_.seed, 3),
      users_(settings_.seed * 2 + 1),
      store_(server_.get_executor(), truth_, Uid{store_name}),
      ground_(truth_, [this](Duration delay, std::function<void()> then) { later(delay, std::move(then)); }),
      oracle_(ground_, truth_, store_name),
      pipeline_(truth_, users_, store_, {}),
      writer_(pipeline_, store_) {
  lay_ground();
}

World::~World() { processes_.clear(); }

void World::lay_ground() {
  for (std::size_t i = 0; i < settings_.subjects.size(); ++i) {
    const SubjectSettings& wanted = settings_.subjects[i];
    const std::string mark(1, static_cast<char>('a' + i));
    Subject subject{.rotation = {"default", "login-" + mark}, .protocol = wanted.protocol, .secret = "login-" + mark};
    for (int k = 0; k < wanted.vaults; ++k) subject.vaults.push_back(numbered("vault", k));
    const int systems = wanted.protocol == api::Protocol::SharedKey ? 0 : is_minted(wanted.protocol) ? 1 : wanted.systems;
    for (int k = 0; k < systems; ++k) subject.systems.push_back(numbered("system-" + mark, k));
    for (int k = 0; k < wanted.consumers; ++k) subject.consumers.push_back(numbered("app-" + mark, k));
    const bool stranger = wanted.stranger && wanted.protocol == api::Protocol::Alternating;
    if (stranger) subject.consumers.push_back("job-" + mark);
    subject.principals = {"user-" + mark};
    if (wanted.protocol == api::Protocol::Alternating) subject.principals.push_back("other-" + mark);
    ground_.subjects.push_back(subject);
    ground_.found(i, users_.hex(16));
    for (const std::string& name : subject.consumers) {
      const Duration::rep usual = 5 + static_cast<Duration::rep>(users_.below(20));
      ground_.applications.at(name).start_time = std::chrono::seconds(settings_.slow_to_start ? 15 * usual : usual);
    }
    if (stranger) {
      ground_.applications.at(subject.consumers.back()).declared = false;
      restart_now_and_then(subject.consumers.back());
    }
  }
  ground_.vaults[staging_vault];
  for (const std::string_view ns : {std::string_view("default"), embedded::system_namespace}) {
    auto made = ask(writer_.create(context(), {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}}, "people"));
    if (!made) throw std::logic_error("no namespace: " + made.error().message);
  }
  auto made = ask(store_.create(context(), environment_resource, ObjectKey{{}, environment_name}, api::encode(environment())));
  if (!made) throw std::logic_error("no environment: " + made.error().message);
}

void World::restart_now_and_then(const std::string& consumer) {
  later(std::chrono::minutes(10 + static_cast<Duration::rep>(users_.below(30))), [this, consumer] {
    ground_.restart_by_itself(consumer);
    restart_now_and_then(consumer);
  });
}

api::RotationEnvironment World::environment() const {
  api::RotationEnvironment environment;
  environment.meta = {.name = environment_name, .uid = {"2f0c2a54-9c0b-4a5e-8a57-0f7a1c1f9b10"}, .generation = 1};
  api::RotationEnvironmentSpec& spec = environment.spec;
  for (const auto& [name, vault] : ground_.vaults) {
    if (name != staging_vault) spec.vaults.push_back({.name = name, .vault = name, .secrets = {"*"}});
  }
  // Pending values wait in a vault of their own, where there is one.
  spec.vaults.push_back({.name = staging_vault, .vault = staging_vault, .secrets = {"*"}, .staging = true});
  for (const auto& [name, system] : ground_.systems) {
    spec.systems.push_back({.name = name, .type = "Driver", .settings = api::UnsupportedSystem{}});
  }
  for (const auto& [name, application] : ground_.applications) spec.consumers.push_back({.name = name, .type = "ContainerApp"});
  spec.bindings = {{.namespaces = {"*"}, .secrets = {"*"}, .systems = {"*"}, .consumers = {"*"}}};
  spec.timing = settings_.timing;
  return environment;
}

api::SecretRotationSpec World::first_spec(std::size_t index) const {
  const Subject& subject = ground_.subjects[index];
  api::SecretRotationSpec spec;
  spec.environment = environment_name;
  spec.revision = "r0";
  const bool shared = subject.protocol == api::Protocol::SharedKey;
  spec.secret = {.vaults = subject.vaults, .name = subject.secret, .format = {api::FormatType::Json, "/password", "/user"}};
  spec.generator = {.type = api::GeneratorType::Hex, .length = 16};
  if (shared) {
    spec.secret_class = api::SecretClass::SharedKey;
    spec.secret.format = {api::FormatType::KeySet, {}, {}};
  } else if (is_minted(subject.protocol)) {
    spec.generator = {.type = api::GeneratorType::ProviderMinted};
  }
  for (const std::string& name : subject.systems) spec.dependents.push_back({name, subject.principals});
  for (const std::string& name : subject.consumers) {
    const Application& application = ground_.applications.at(name);
    if (!application.declared) continue;
    const std::string& vault = application.vault;
    spec.consumers.push_back({.name = name, .vault = vault == subject.vaults.front() ? std::string{} : vault});
  }
  spec.strategy.acknowledge_outage = true;
  spec.strategy.overlap = std::chrono::minutes(5);
  return spec;
}

// ---- time ----------------------------------------------------------------------------------------------------------------------

void World::later(Duration delay, std::function<void()> then) {
  const std::uint64_t flight = ++flown_;
  flights_.emplace(flight, truth_.after(delay, [this, flight, then = std::move(then)] {
    const auto landed = flights_.extract(flight);  // kept until `then` is done: it lives in there
    then();
  }));
}

// Everything that is ready, everywhere, in an order that depends on nothing but the world.
void World::settle() {
  for (bool ran = true; ran && !oracle_.violation();) {
    ran = false;
    if (server_.stopped()) server_.restart();
    while (server_.poll_one() > 0) ran = true;
    for (auto& [name, place] : processes_) {
      if (!place.process) continue;
      ran |= place.process->run();
      if (!place.process->dead()) continue;
      place.process.reset();
      later(restart_after_, [this, again = name] {
        const auto found = processes_.find(again);
        if (found != processes_.end() && !found->second.process) start_process(again, found->second.rate, found->second.wall_offset);
      });
    }
  }
}

bool World::run_for(Duration span) {
  const BootInstant end = truth_.boot_now() + span;
  settle();
  for (auto next = truth_.until_next(); next && truth_.boot_now() + *next <= end && !oracle_.violation(); next = truth_.until_next()) {
    truth_.advance_to_next();
    settle();
    if (++events_ == events_max_ && events_max_ != 0) oracle_.never_rests();
  }
  if (oracle_.violation()) return false;
  truth_.advance(end - truth_.boot_now());
  settle();
  return !oracle_.violation();
}

bool World::run_until(const std::function<bool()>& reached, Duration at_most, Duration step) {
  for (Duration spent{}; spent < at_most; spent += step) {
    if (reached()) return true;
    if (!run_for(step)) return false;
  }
  return reached();
}

// ---- processes -----------------------------------------------------------------------------------------------------------------

void World::start_process(const std::string& name, std::int64_t rate, Duration wall_offset) {
  Place& place = processes_[name];
  place.rate = rate;
  place.wall_offset = wall_offset;
  ProcessOptions options{
      .name = name, .seed = settings_.seed * 1'000'003 + static_cast<std::uint64_t>(++started_), .rate = rate, .wall_offset = wall_offset};
  place.process = std::make_unique<Process>(Outside{*this, *this, ground_, trace_, truth_}, std::move(options));
}

void World::stop_process(const std::string& name) {
  note(name, "is stopped for good");
  processes_.erase(name);
}

Process* World::process(const std::string& name) {
  const auto found = processes_.find(name);
  return found == processes_.end() ? nullptr : found->second.process.get();
}

std::vector<std::string> World::process_names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : processes_) names.push_back(name);
  return names;
}

// ---- the API server ------------------------------------------------------------------------------------------------------------

namespace {
template <class T>
Awaitable<> keep(std::optional<Result<T>>* outcome, Task<T> call) {
  auto result = co_await std::move(call);
  outcome->emplace(std::move(result));
}
}  // namespace

template <class T>
Result<T> World::ask(Task<T> call) {
  std::optional<Result<T>> outcome;
  run(keep<T>(&outcome, std::move(call)));
  if (!outcome) throw std::logic_error("the server waits for something");
  return std::move(*outcome);
}

void World::run(boost::asio::awaitable<void> task) {
  bool done = false;
  boost::asio::co_spawn(server_, std::move(task), [&done](std::exception_ptr failure) {
    done = true;
    if (failure) std::rethrow_exception(failure);
  });
  if (server_.stopped()) server_.restart();
  while (!done && server_.poll_one() > 0) {
  }
}

Duration World::watch_delay() { return Duration(1 + static_cast<Duration::rep>(latency_.below(10))) + stale_; }

void World::written(const Resource& resource, const StoredPtr& object, const std::string& by) {
  if (resource != journal_resource) return;
  const json::object& status = object->body.at("status").as_object();
  const json::value* phase = status.if_contains("phase");
  const json::value* blocked = status.if_contains("blocked");
  note(by, "journal " + object->key.name + " " + std::string(phase ? phase->as_string() : "") +
               (blocked ? " blocked " + std::string(blocked->as_string()) : ""));
  oracle_.journalled(object->body);
}

void World::declare(const ObjectKey& key, const api::SecretRotationSpec& spec) {
  json::object desired{{"apiVersion", api::group_version},
                       {"kind", api::SecretRotation::kind},
                       {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                       {"spec", api::encode_spec(spec)}};
  auto applied = ask(writer_.apply(context(), std::move(desired), "people"));
  if (!applied) note("people", "are told: " + applied.error().message);
}

void World::remove(const ObjectKey& rotation) { (void)ask(writer_.remove(context(), rotation_resource, rotation, 0)); }

std::optional<api::SecretRotation> World::rotation(std::size_t subject) {
  auto stored = ask(store_.get(context(), rotation_resource, ground_.subjects[subject].rotation));
  if (!stored) return {};
  auto decoded = api::decode_secret_rotation((*stored)->body);
  if (!decoded) throw std::logic_error("a rotation that cannot be read: " + decoded.error().message);
  return std::move(*decoded);
}

void World::edit_environment(const std::function<void(api::RotationEnvironmentSpec&)>& edit) {
  auto stored = ask(store_.get(context(), environment_resource, ObjectKey{{}, environment_name}));
  if (!stored) return;
  auto decoded = api::decode_rotation_environment((*stored)->body);
  if (!decoded) return;
  edit(decoded->spec);
  ++decoded->meta.generation;
  (void)ask(store_.update(context(), environment_resource, ObjectKey{{}, environment_name}, api::encode(*decoded), (*stored)->version));
}

std::vector<StoredPtr> World::journal() {
  auto listed = ask(store_.list(context(), journal_resource, {}));
  return listed ? listed->items : std::vector<StoredPtr>{};
}

void World::restore_journal(const std::vector<StoredPtr>& then) {
  std::vector<json::object> kept;
  for (const StoredPtr& now : journal()) {
    const StoredPtr* earlier = nullptr;
    for (const StoredPtr& one : then) {
      if (one->key == now->key) earlier = &one;
    }
    if (!earlier) {
      (void)ask(store_.remove(context(), journal_resource, now->key, now->version));
    } else {
      (void)ask(store_.update(context(), journal_resource, now->key, (*earlier)->body, now->version));
      kept.push_back((*earlier)->body);
    }
  }
  oracle_.restored(kept);
}

std::string World::everything_stored() {
  std::string all;
  for (const Resource& resource : {rotation_resource, environment_resource, journal_resource}) {
    auto listed = ask(store_.list(context(), resource, {}));
    if (!listed) continue;
    for (const StoredPtr& one : listed->items) all += json::serialize(one->body);
  }
  return all;
}

}  // namespace keyturn::simulation
