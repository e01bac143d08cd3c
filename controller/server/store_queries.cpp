#include "controller/server/store_queries.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <tuple>
#include <utility>

#include "api/codec.h"
#include "api/reasons.h"
#include "api/record_chain.h"
#include "base/log.h"

namespace keyturn {
namespace {

Resource rotations() { return {std::string(api::group), std::string(api::SecretRotation::plural)}; }
Resource runs() { return {std::string(api::group), std::string(api::RotationRun::plural)}; }

// Decoding 100,000 objects takes a second of the control thread: between portions of this size others get their turn.
constexpr std::size_t objects_per_turn = 256;

std::string status_text(api::Tristate status) {
  if (status == api::Tristate::True) return "True";
  return status == api::Tristate::False ? "False" : "Unknown";
}

std::optional<CredentialView> credential_view(const std::optional<api::CredentialStatus>& credential) {
  if (!credential) return std::nullopt;
  return CredentialView{credential->name.to_string(),
                        credential->name.revision,
                        credential->name.serial,
                        credential->version.value,
                        std::string(api::name_of(credential->state)),
                        credential->issued_at,
                        credential->activated_at};
}

std::optional<RecordHeadView> head_view(const std::optional<api::RecordHead>& head) {
  if (!head) return std::nullopt;
  return RecordHeadView{head->sealed, head->hash};
}

// An object that does not decode is shown as such: leaving it out would look as if it did not exist.
RotationView unreadable(const StoredObject& stored) {
  RotationView view;
  view.key = stored.key;
  view.conditions.push_back({"Ready", "Unknown", std::string(api::reason::unsupported), "the stored object cannot be read", std::nullopt});
  return view;
}

RotationView view_of_stored(const StoredObject& stored) {
  const Result<api::SecretRotation> rotation = api::decode_secret_rotation(stored.body);
  if (!rotation) log::warn("a stored rotation cannot be decoded", {{"rotation", stored.key}, {"error", rotation.error()}});
  RotationView view = rotation ? keyturn::view_of(*rotation) : unreadable(stored);
  view.resource_version = std::to_string(stored.version);
  return view;
}

// A feed over one watch of the store. What waits is held as the store's own immutable objects and decoded when it is read, so that a
// slow reader costs pointers.
class StoreFeed final : public RotationFeed, private ChangeSink {
 public:
  explicit StoreFeed(std::string ns) : ns_(std::move(ns)) {}

  static Task<std::unique_ptr<RotationFeed>> open(Context context, Store& store, std::string ns);

  std::optional<RotationEventView> next() override;
  std::optional<Error> ended() const override;
  void on_ready(std::function<void()> wake) override { wake_ = std::move(wake); }

 private:
  void on_change(const Change& change) override;
  void on_closed() override;
  void end(Error why);

  std::string ns_;
  std::deque<StoredPtr> first_;
  std::deque<Change> changes_;
  std::optional<Error> end_;
  std::function<void()> wake_;
  std::unique_ptr<Watch> watch_;  // last: the store calls this object until it is gone
};

Task<std::unique_ptr<RotationFeed>> StoreFeed::open(Context context, Store& store, std::string ns) {
  auto feed = std::make_unique<StoreFeed>(ns);
  ListOptions options;
  options.ns = ns;
  const Result<ObjectList> list = co_await store.list(context, rotations(), options);
  if (!list) co_return list.error();
  feed->first_.assign(list->items.begin(), list->items.end());
  Result<std::unique_ptr<Watch>> watch = co_await store.watch(context, rotations(), list->version, *feed);
  // The list is a moment old; a store that compacted it away meanwhile is too busy for now.
  if (!watch && watch.error().code == Errc::Expired) co_return Error{Errc::Unavailable, "the watch could not start: try again"};
  if (!watch) co_return watch.error();
  feed->watch_ = std::move(*watch);
  std::unique_ptr<RotationFeed> opened = std::move(feed);
  co_return std::move(opened);
}

std::optional<RotationEventView> StoreFeed::next() {
  if (!first_.empty()) {
    const StoredPtr stored = std::move(first_.front());
    first_.pop_front();
    return RotationEventView{RotationChange::Added, view_of_stored(*stored)};
  }
  if (changes_.empty()) return std::nullopt;
  const Change change = std::move(changes_.front());
  changes_.pop_front();
  RotationChange type = RotationChange::Modified;
  if (change.type == ChangeType::Added) type = RotationChange::Added;
  if (change.type == ChangeType::Deleted) type = RotationChange::Deleted;
  return RotationEventView{type, view_of_stored(*change.object)};
}

std::optional<Error> StoreFeed::ended() const { return first_.empty() && changes_.empty() ? end_ : std::nullopt; }

void StoreFeed::on_change(const Change& change) {
  if (end_ || (!ns_.empty() && change.object->key.ns != ns_)) return;
  if (changes_.size() >= changes_max) {
    // What waits is dropped: the reader must start over anyway, and learns it at once.
    first_.clear();
    changes_.clear();
    end({Errc::Throttled, "the reader is too slow: start the watch again"});
    return;
  }
  changes_.push_back(change);
  if (wake_) wake_();
}

void StoreFeed::on_closed() { end({Errc::Unavailable, "the watch ended: start it again"}); }

void StoreFeed::end(Error why) {
  if (end_) return;
  end_ = std::move(why);
  if (wake_) wake_();
}

}  // namespace

RotationView view_of(const api::SecretRotation& rotation) {
  RotationView view;
  view.key = rotation.meta.key();
  view.generation = rotation.meta.generation;
  view.environment = rotation.spec.environment;
  view.secret = rotation.spec.secret.name;
  view.wanted_revision = rotation.spec.revision;
  view.suspended = rotation.spec.suspend;
  const api::SecretRotationStatus& status = rotation.status;
  view.current = credential_view(status.current);
  view.candidate = credential_view(status.candidate);
  view.previous = credential_view(status.previous);
  for (const api::ConsumerStatus& consumer : status.consumers)
    view.consumers.push_back({consumer.name, consumer.using_credential, consumer.state, consumer.evidence});
  for (const api::Condition& condition : status.conditions)
    view.conditions.push_back(
        {condition.type, status_text(condition.status), condition.reason, condition.message, condition.last_transition});
  view.run = status.run;
  if (status.candidate) view.step = status.candidate->step;
  view.next_rotation = status.next_rotation;
  view.resource_version = rotation.meta.resource_version;
  view.created = rotation.meta.created;
  view.record = head_view(status.record);
  return view;
}

RunView view_of(const api::RotationRun& run) {
  RunView view;
  view.name = run.meta.name;
  view.generation = run.spec.generation;
  view.direction = std::string(api::name_of(run.spec.direction));
  view.credential = run.spec.credential.to_string();
  if (!run.spec.old_credential.empty()) view.old_credential = run.spec.old_credential.to_string();
  view.reason = std::string(api::name_of(run.spec.reason));
  view.incident = run.spec.incident;
  view.actor = run.spec.actor;
  view.phase = std::string(api::name_of(run.status.phase));
  view.blocked = run.status.blocked;
  view.started_at = run.status.started_at ? run.status.started_at : run.meta.created;
  view.finished_at = run.status.finished_at;
  for (const api::Evidence& evidence : run.status.evidence)
    view.evidence.push_back({evidence.at, evidence.step, evidence.target, evidence.what});
  view.failure = run.status.failure;
  view.previous_hash = run.status.previous_hash;
  view.record_hash = run.status.record_hash;
  return view;
}

StoreQueries::StoreQueries(Store& store, Planner planner) : store_(store), planner_(std::move(planner)) {}
StoreQueries::~StoreQueries() = default;

Task<RotationList> StoreQueries::list(Context context, std::string ns) {
  ListOptions options;
  options.ns = std::move(ns);
  const Result<ObjectList> list = co_await store_.list(context, rotations(), options);
  if (!list) co_return list.error();
  RotationList views;
  views.resource_version = std::to_string(list->version);
  views.rotations.reserve(list->items.size());
  for (const StoredPtr& stored : list->items) {
    views.rotations.push_back(view_of_stored(*stored));
    if (views.rotations.size() % objects_per_turn == 0) co_await boost::asio::post(boost::asio::use_awaitable);
  }
  co_return views;
}

Task<RotationView> StoreQueries::get(Context context, ObjectKey key) {
  const Result<StoredPtr> stored = co_await store_.get(context, rotations(), key);
  if (!stored) co_return stored.error();
  co_return view_of_stored(**stored);
}

Task<std::vector<RunView>> StoreQueries::history(Context context, ObjectKey key, int limit) {
  const Result<ObjectList> list = co_await store_.list(context, runs(), ListOptions{});
  if (!list) co_return list.error();
  std::vector<RunView> views;
  std::size_t seen = 0;
  for (const StoredPtr& stored : list->items) {
    if (++seen % objects_per_turn == 0) co_await boost::asio::post(boost::asio::use_awaitable);
    const Result<api::RotationRun> run = api::decode_rotation_run(stored->body);
    if (!run) log::warn("a stored run cannot be decoded", {{"run", stored->key}, {"error", run.error()}});
    if (run && run->spec.rotation == key) views.push_back(view_of(*run));
  }
  if (views.empty()) {
    // Records outlive their rotation; only a name that has neither is unknown.
    const Result<StoredPtr> rotation = co_await store_.get(context, rotations(), key);
    if (!rotation) co_return rotation.error();
  }
  std::sort(views.begin(), views.end(), [](const RunView& a, const RunView& b) {
    return std::tie(b.started_at, b.generation, b.name) < std::tie(a.started_at, a.generation, a.name);
  });
  if (limit > 0 && views.size() > static_cast<std::size_t>(limit)) views.resize(static_cast<std::size_t>(limit));
  co_return views;
}

Task<PlanView> StoreQueries::plan(Context context, ObjectKey key, std::string revision) {
  const Result<StoredPtr> stored = co_await store_.get(context, rotations(), key);
  if (!stored) co_return stored.error();
  Result<PlanView> plan = co_await planner_(context, key, std::move(revision));
  co_return plan;
}

Task<VerificationView> StoreQueries::verify(Context context, ObjectKey key, std::string anchor) {
  const Result<StoredPtr> stored = co_await store_.get(context, rotations(), key);
  // Records outlive their rotation: without it there is no head to compare with, and everything else can still be verified.
  const bool gone = !stored && stored.error().code == Errc::NotFound;
  if (!stored && !gone) co_return stored.error();
  api::Anchors anchors{.noted = std::nullopt, .by_hand = std::move(anchor)};
  if (stored) {
    const Result<api::SecretRotation> rotation = api::decode_secret_rotation((*stored)->body);
    if (!rotation) co_return rotation.error();
    anchors.noted = rotation->status.record;
  }
  const Result<ObjectList> list = co_await store_.list(context, runs(), ListOptions{});
  if (!list) co_return list.error();
  std::vector<api::Record> records;
  std::size_t seen = 0;
  for (const StoredPtr& run : list->items) {
    if (++seen % objects_per_turn == 0) co_await boost::asio::post(boost::asio::use_awaitable);
    if (api::link_of(run->body).rotation == key) records.push_back(api::record_of(run->body));
  }
  if (gone && records.empty()) co_return stored.error();
  const api::Verification verification = api::verify(std::move(records), anchors);
  VerificationView view{key, verification.records, verification.head, head_view(anchors.noted), {}};
  for (const api::Finding& finding : verification.findings)
    view.findings.push_back({std::string(api::name_of(finding.kind)), finding.run, finding.message});
  co_return view;
}

Task<std::unique_ptr<RotationFeed>> StoreQueries::subscribe(Context context, std::string ns) {
  Result<std::unique_ptr<RotationFeed>> feed = co_await StoreFeed::open(context, store_, std::move(ns));
  co_return feed;
}

}  // namespace keyturn
