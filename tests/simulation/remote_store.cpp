#include "tests/simulation/remote_store.h"

#include <deque>

namespace keyturn::simulation {
namespace {

// What a watch brings goes over the network, too: later, and in order.
class Relay final : public ChangeSink, public std::enable_shared_from_this<Relay> {
 public:
  Relay(Surroundings& world, StoreServer& server, Endpoint& here, ChangeSink& sink)
      : world_(world), server_(server), executor_(here.executor()), sink_(&sink) {}

  void on_change(const Change& change) override {
    deliver([change](ChangeSink& sink) { sink.on_change(change); });
  }
  void on_closed() override {
    deliver([](ChangeSink& sink) { sink.on_closed(); });
  }

 private:
  void deliver(std::function<void(ChangeSink&)> what) {
    queue_.push_back(std::move(what));
    world_.later(server_.watch_delay(), [weak = weak_from_this()] {
      const auto relay = weak.lock();
      if (!relay || relay->queue_.empty()) return;
      boost::asio::post(relay->executor_, [weak, what = std::move(relay->queue_.front())] {
        if (const auto alive = weak.lock()) what(*alive->sink_);
      });
      relay->queue_.pop_front();
    });
  }

  Surroundings& world_;
  StoreServer& server_;
  boost::asio::any_io_executor executor_;
  ChangeSink* sink_;
  std::deque<std::function<void(ChangeSink&)>> queue_;
};

class RemoteWatch final : public Watch {
 public:
  RemoteWatch(std::shared_ptr<Relay> relay, std::unique_ptr<Watch> watch) : relay_(std::move(relay)), watch_(std::move(watch)) {}

 private:
  std::shared_ptr<Relay> relay_;
  std::unique_ptr<Watch> watch_;
};

// Keeps the outcome of a call of the store behind.
template <class T>
Awaitable<> keep(std::optional<Result<T>>* outcome, Task<T> call) {
  auto result = co_await std::move(call);
  outcome->emplace(std::move(result));
}

template <class T>
Result<T> run_on(StoreServer& server, const std::function<Task<T>(Store&, Context)>& call) {
  std::optional<Result<T>> outcome;
  server.run(keep<T>(&outcome, call(server.store(), server.context())));
  return outcome ? std::move(*outcome) : Result<T>(Error{Errc::Internal, "the store behind waits"});
}

}  // namespace

Task<StoredPtr> RemoteStore::get(Context context, Resource resource, ObjectKey key) {
  const std::string what = "get " + resource.plural;
  std::function<Result<StoredPtr>()> serve = [server = &server_, resource, key] {
    return run_on<StoredPtr>(*server, [&](Store& store, Context at) { return store.get(std::move(at), resource, key); });
  };
  co_return co_await link_.call<StoredPtr>(std::move(context), {api_server, what}, std::move(serve));
}

Task<ObjectList> RemoteStore::list(Context context, Resource resource, ListOptions options) {
  const std::string what = "list " + resource.plural;
  std::function<Result<ObjectList>()> serve = [server = &server_, resource, options] {
    return run_on<ObjectList>(*server, [&](Store& store, Context at) { return store.list(std::move(at), resource, options); });
  };
  co_return co_await link_.call<ObjectList>(std::move(context), {api_server, what}, std::move(serve));
}

Task<std::unique_ptr<Watch>> RemoteStore::watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) {
  using Opened = std::unique_ptr<Watch>;
  const auto relay = std::make_shared<Relay>(link_.world(), server_, link_.here(), sink);
  // A watch whose caller has gone away is closed again: the relay is gone with the caller.
  std::function<Result<Opened>()> serve = [server = &server_, resource, since, weak = std::weak_ptr(relay)]() -> Result<Opened> {
    const auto alive = weak.lock();
    if (!alive) return Error{Errc::Cancelled, "nobody watches any more"};
    return run_on<Opened>(*server, [&](Store& store, Context at) { return store.watch(std::move(at), resource, since, *alive); });
  };
  auto opened = co_await link_.call<Opened>(std::move(context), {api_server, "watch " + resource.plural}, std::move(serve));
  if (!opened) co_return opened.error();
  co_return std::make_unique<RemoteWatch>(relay, std::move(*opened));
}

Task<StoredPtr> RemoteStore::write(Context context, Resource resource, std::string what,
                                   std::function<Task<StoredPtr>(Store&, Context)> call) {
  std::function<Result<StoredPtr>()> serve = [server = &server_, resource, call = std::move(call), by = link_.here().name()] {
    auto stored = run_on<StoredPtr>(*server, call);
    if (stored) server->written(resource, *stored, by);
    return stored;
  };
  const Request request{api_server, what + " " + resource.plural};  // no effect on a target: its own guard is the compare-and-swap
  co_return co_await link_.call<StoredPtr>(std::move(context), request, std::move(serve));
}

Task<StoredPtr> RemoteStore::create(Context context, Resource resource, ObjectKey key, boost::json::object body) {
  auto call = [resource, key, body = std::move(body)](Store& store, Context at) {
    return store.create(std::move(at), resource, key, body);
  };
  co_return co_await write(std::move(context), resource, "create", std::move(call));
}

Task<StoredPtr> RemoteStore::update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) {
  auto call = [resource, key, body = std::move(body), expected](Store& store, Context at) {
    return store.update(std::move(at), resource, key, body, expected);
  };
  co_return co_await write(std::move(context), resource, "update", std::move(call));
}

Task<StoredPtr> RemoteStore::remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) {
  auto call = [resource, key, expected](Store& store, Context at) { return store.remove(std::move(at), resource, key, expected); };
  co_return co_await write(std::move(context), resource, "remove", std::move(call));
}

}  // namespace keyturn::simulation
