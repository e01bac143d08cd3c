#include "controller/app.h"

#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "api/codec.h"
#include "base/blocking_pool.h"
#include "base/log.h"
#include "base/net/tls.h"
#include "base/random.h"
#include "base/time_zone.h"
#include "controller/access_tokens.h"
#include "controller/embedded/api_server.h"
#include "controller/embedded/certificates.h"
#include "controller/embedded/kubeconfig.h"
#include "controller/embedded/sqlite/sqlite_store.h"
#include "controller/event_recorder.h"
#include "controller/git_objects.h"
#include "controller/plan_view.h"
#include "controller/rotation_admission.h"
#include "controller/runtime/controller.h"
#include "controller/runtime/informer.h"
#include "controller/server/grpc_server.h"
#include "controller/server/http_gateway.h"
#include "controller/server/metrics.h"
#include "controller/server/store_queries.h"
#include "controller/store_records.h"
#include "reconcilers/catalog.h"
#include "reconcilers/environment/environment_reconciler.h"
#include "reconcilers/rotation/reconciler.h"

namespace keyturn {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr Duration stop_grace = std::chrono::seconds(10);
constexpr std::string_view admin_user = "admin";

const Resource rotation_resource{std::string(api::group), std::string(api::SecretRotation::plural)};
const Resource environment_resource{std::string(api::group), std::string(api::RotationEnvironment::plural)};

// One control thread: all decisions happen on it, so that nothing outside of base/ needs a lock.
template <class T>
Result<T> run_now(asio::io_context& io, asio::awaitable<Result<T>> task) {
  std::optional<Result<T>> outcome;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr failure, Result<T> result) {
    outcome = failure ? Result<T>(Error{Errc::Internal, "start failed unexpectedly"}) : std::move(result);
  });
  while (!outcome && io.run_one() != 0) {
  }
  io.restart();
  if (!outcome) return Error{Errc::Internal, "start did not finish"};
  return std::move(*outcome);
}

Result<> make_private_directory(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return Error{Errc::Denied, "the data directory " + path + " cannot be made: " + failure.message()};
  if (::chmod(path.c_str(), 0700) != 0) return Error{Errc::Denied, "the data directory " + path + " is not ours"};
  return ok();
}

Error at(std::string_view what, const Error& error) { return {error.code, std::string(what) + ": " + error.message, error.retry_after}; }

}  // namespace

struct App::Impl {
  explicit Impl(Config given) : config(std::move(given)), clock(io.get_executor()), random(std::make_shared<SystemRandom>()), signals(io) {}

  Result<> open_store();
  Result<> open_access();
  Result<> serve();
  Result<> reconcile();
  Result<> announce();
  Result<> write_admin_kubeconfig(const std::string& url);
  void wire_rotations();
  void follow_git();
  std::vector<ObjectKey> rotations_in(const StoredObject& environment) const;
  Task<std::string> metrics(Context context);
  Awaitable<> stop();
  Task<> wind_down();  // stop, for a start that failed at its last step

  std::string url() const { return "https://" + config.advertise + ":" + std::to_string(api->port()); }

  Config config;
  asio::io_context io{1};
  SystemClock clock;
  std::shared_ptr<SystemRandom> random;
  BlockingPool pool;
  SystemTimeZones zones;
  asio::signal_set signals;

  std::unique_ptr<SqliteStore> store;
  std::optional<embedded::Access> access;
  std::optional<AccessTokens> tokens;
  embedded::Certificates certificates;
  std::unique_ptr<StoreQueries> queries;
  std::unique_ptr<HttpGateway> gateway;
  std::unique_ptr<embedded::ApiServer> api;
  std::unique_ptr<GrpcServer> grpc;
  std::unique_ptr<StoreRecords> records;
  std::unique_ptr<EventRecorder> recorder;
  std::unique_ptr<SystemCatalog> catalog;
  std::unique_ptr<RotationReconciler> rotation_reconciler;
  std::unique_ptr<Informer> rotations;
  std::unique_ptr<Informer> environments;
  std::unique_ptr<Controller> controller;
  std::unique_ptr<EnvironmentReconciler> environment_reconciler;
  std::unique_ptr<Controller> environment_controller;
  std::unique_ptr<GitObjects> git_objects;
  std::unique_ptr<git::GitSource> git_source;
};

Result<> App::Impl::open_store() {
  if (auto made = make_private_directory(config.data_dir); !made) return made;
  auto opened = SqliteStore::open(io.get_executor(), clock, *random, pool, {.path = config.data_dir + "/keyturn.db"});
  if (!opened) return at("the store " + config.data_dir + "/keyturn.db", opened.error());
  store = std::move(*opened);
  return ok();
}

Result<> App::Impl::open_access() {
  auto opened = embedded::Access::open(config.data_dir + "/tokens");
  if (!opened) return at("the tokens file", opened.error());
  access.emplace(std::move(*opened));
  tokens.emplace(*access);
  auto made = embedded::ensure_certificates(config.data_dir, {config.address, config.advertise, "localhost", "127.0.0.1"});
  if (!made) return at("the certificates", made.error());
  certificates = std::move(*made);
  return ok();
}

namespace {

Task<PlanView> plan_of(Records* records, Catalog* catalog, const TimeZones* zones, Context context, ObjectKey key, std::string revision) {
  auto made = co_await forecast(context, *records, *catalog, *zones, key, std::move(revision));
  if (!made) co_return made.error();
  co_return view_of(*made);
}

}  // namespace

Result<> App::Impl::serve() {
  catalog = std::make_unique<SystemCatalog>(io.get_executor(), pool, random, config.federated_token_file);
  // The planner needs records, which need the API's writer, which needs the API server, which serves the queries: hence the pointer.
  queries = std::make_unique<StoreQueries>(*store, [this](Context context, ObjectKey key, std::string revision) {
    return plan_of(records.get(), catalog.get(), &zones, std::move(context), std::move(key), std::move(revision));
  });
  gateway =
      std::make_unique<HttpGateway>(io.get_executor(), clock, *queries, *tokens, [this](Context context) { return metrics(context); });

  embedded::ApiServerOptions options;
  options.http.address = config.address;
  options.http.port = config.port;
  options.admission = rotation_admission(*store);
  options.mounts = {{"/v1alpha1/", gateway->handler()}, {"/metrics", gateway->handler()}};
  options.page = gateway->handler();
  options.ready = [this] { return rotations && rotations->has_synced(); };
  // Only a restart, which opens the store anew, mends it: hence liveness.
  options.live = [this] { return store->healthy(); };
  auto tls = net::server_context(certificates.server);
  if (!tls) return at("the server certificate", tls.error());
  api = std::make_unique<embedded::ApiServer>(io.get_executor(), clock, *random, *store, *access, std::move(options), *tls);
  const Context context = Context(clock, "start").with_timeout(std::chrono::seconds(30));
  if (auto prepared = run_now(io, api->prepare(context)); !prepared) return at("the store", prepared.error());
  if (auto started = api->start(); !started) return at("port " + std::to_string(config.port) + " of " + config.address, started.error());

  grpc = std::make_unique<GrpcServer>(io.get_executor(), clock, pool, *queries, *tokens, certificates.server,
                                      GrpcServerOptions{.address = config.address, .port = config.grpc_port});
  if (auto started = grpc->start(); !started) return at("gRPC port " + std::to_string(config.grpc_port), started.error());
  return ok();
}

std::vector<ObjectKey> App::Impl::rotations_in(const StoredObject& environment) const {
  std::vector<ObjectKey> keys;
  for (const StoredPtr& rotation : rotations->by_index("environment", environment.key.name)) keys.push_back(rotation->key);
  return keys;
}

void App::Impl::wire_rotations() {
  rotations = std::make_unique<Informer>(io.get_executor(), clock, *random, *store, rotation_resource);
  rotations->add_index("environment", [](const StoredObject& object) {
    const auto decoded = api::decode_secret_rotation(object.body);
    return decoded ? std::vector<std::string>{decoded->spec.environment} : std::vector<std::string>{};
  });
  environments = std::make_unique<Informer>(io.get_executor(), clock, *random, *store, environment_resource);
  controller = std::make_unique<Controller>(io.get_executor(), clock, *rotation_reconciler,
                                            ControllerOptions{.name = "secretrotation", .workers = config.workers});
  controller->watch(*rotations);
  controller->watch_mapped(*environments, [this](const StoredObject& environment) { return rotations_in(environment); }, changes_intent);
  environment_controller = std::make_unique<Controller>(io.get_executor(), clock, *environment_reconciler,
                                                        ControllerOptions{.name = "rotationenvironment", .workers = 2});
  environment_controller->watch(*environments);
}

Result<> App::Impl::reconcile() {
  records = std::make_unique<StoreRecords>(*store, api->writer(), *random);
  recorder = std::make_unique<EventRecorder>(io.get_executor(), clock, *store, api->writer());
  rotation_reconciler =
      std::make_unique<RotationReconciler>(RotationPorts{*records, *catalog, *random, *recorder, zones}, clock, EpochId{random->uuid()});
  environment_reconciler = std::make_unique<EnvironmentReconciler>(*records, *catalog);
  wire_rotations();
  rotations->start();
  environments->start();
  if (auto started = run_now(io, controller->start()); !started) return started;
  return run_now(io, environment_controller->start());
}

void App::Impl::follow_git() {
  if (config.git.url.empty()) return;
  git_objects = std::make_unique<GitObjects>(api->writer());
  git_source = std::make_unique<git::GitSource>(io.get_executor(), clock, pool, *git_objects,
                                                git::GitSourceOptions{.url = config.git.url,
                                                                      .branch = config.git.branch,
                                                                      .folder = config.git.path,
                                                                      .cache = config.data_dir + "/git",
                                                                      .interval = config.git.interval,
                                                                      .prune = config.git.prune});
  git_source->start();
}

// A token exists in clear only while it is written to the kubeconfig. A kubeconfig that still fits is kept, and so is its token.
Result<> App::Impl::write_admin_kubeconfig(const std::string& url) {
  std::ifstream existing(config.kubeconfig);
  const std::string text((std::istreambuf_iterator<char>(existing)), {});
  if (access->knows(admin_user) && text.find(url + "\n") != std::string::npos) return ok();
  auto token = access->issue(*random, {.name = std::string(admin_user), .groups = {}, .role = embedded::Role::Admin, .namespaces = {}});
  if (!token) return at("the tokens file", token.error());
  auto written = embedded::write_kubeconfig(config.kubeconfig, url, certificates.ca_pem, *token);
  if (!written) return at("the kubeconfig " + config.kubeconfig, written.error());
  return ok();
}

Result<> App::Impl::announce() {
  if (auto written = write_admin_kubeconfig(url()); !written) return written;
  log::info("ready", {{"api", url()},
                      {"grpc", config.advertise + ":" + std::to_string(grpc->port())},
                      {"kubeconfig", config.kubeconfig},
                      {"version", KEYTURN_VERSION}});
  if (config.ready_file.empty()) return ok();
  const json::object ready{{"api", url()},
                           {"grpc", config.advertise + ":" + std::to_string(grpc->port())},
                           {"kubeconfig", config.kubeconfig},
                           {"caFile", config.data_dir + "/ca.crt"}};
  const std::string partial = config.ready_file + ".partial";
  std::ofstream(partial) << json::serialize(ready) << "\n";
  std::error_code failure;
  std::filesystem::rename(partial, config.ready_file, failure);
  if (failure) return Error{Errc::Denied, "the ready file " + config.ready_file + " cannot be written: " + failure.message()};
  return ok();
}

Task<std::string> App::Impl::metrics(Context context) {
  MetricsSnapshot snapshot{.now = clock.now()};
  for (const Controller* one : {controller.get(), environment_controller.get()}) {
    snapshot.controllers.emplace_back(one->name(), one->counters());
  }
  auto listed = co_await queries->list(context, {});
  if (!listed) co_return listed.error();
  snapshot.rotations = std::move(listed->rotations);
  // Counted from the journal, which outlives the process.
  auto runs = co_await records->runs(context, [](const api::RotationRun&) { return true; });
  if (!runs) co_return runs.error();
  for (const api::RotationRun& run : *runs) {
    if (api::is_terminal(run.status.phase)) ++snapshot.counters.attempts[std::string(api::name_of(run.status.phase))];
    if (!run.status.blocked.empty()) ++snapshot.counters.attempts["Blocked"];
  }
  co_return metrics_text(snapshot);
}

Awaitable<> App::Impl::stop() {
  log::info("stopping");
  if (git_source) co_await git_source->stop(stop_grace);
  const std::size_t cut = co_await controller->stop(stop_grace);
  co_await environment_controller->stop(stop_grace);
  if (cut != 0) log::warn("steps were cut off; the next start goes on with them", {{"count", cut}});
  co_await rotations->stop(stop_grace);
  co_await environments->stop(stop_grace);
  co_await recorder->stop(stop_grace);
  co_await grpc->stop(stop_grace);
  store->close_watches();
  co_await api->stop(stop_grace);
}

Task<> App::Impl::wind_down() {
  co_await stop();
  co_return ok();
}

App::App(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {}
App::~App() = default;

Result<> App::start() {
  if (auto done = impl_->open_store(); !done) return done;
  if (auto done = impl_->open_access(); !done) return done;
  if (auto done = impl_->serve(); !done) return done;
  if (auto done = impl_->reconcile(); !done) return done;
  impl_->follow_git();
  // Before anybody is told that it serves: a signal that comes at once must be heard.
  impl_->signals.add(SIGTERM);
  impl_->signals.add(SIGINT);
  auto announced = impl_->announce();
  if (!announced) (void)run_now(impl_->io, impl_->wind_down());
  return announced;
}

int App::run() {
  Impl& app = *impl_;
  app.signals.async_wait([&app](const boost::system::error_code& failure, int) {
    if (failure) return;
    app.signals.async_wait([](const boost::system::error_code& again, int) {
      if (!again) std::_Exit(130);
    });
    asio::co_spawn(app.io, app.stop(), [&app](std::exception_ptr) { app.io.stop(); });
  });
  app.io.run();
  log::info("stopped");
  return 0;
}

}  // namespace keyturn
