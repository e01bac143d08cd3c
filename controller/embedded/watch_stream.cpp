#include "controller/embedded/watch_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <limits>

#include "controller/embedded/events_view.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

namespace json = boost::json;

void OpenWatches::stop() {
  stopped_ = true;
  for (WatchStream* stream : streams_) stream->end();
}

WatchStream::WatchStream(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, OpenWatches& open,
                         WatchSpec spec)
    : executor_(executor),
      clock_(clock),
      random_(random),
      store_(store),
      open_(open),
      spec_(std::move(spec)),
      wake_(std::make_unique<Event>(executor)) {
  open_.streams_.insert(this);
}

WatchStream::~WatchStream() { open_.streams_.erase(this); }

void WatchStream::end() {
  ended_ = true;
  wake_->set();
}

void WatchStream::on_closed() { end(); }

void WatchStream::on_change(const Change& change) {
  if (pending_.size() >= buffered_max) return end();
  pending_.push_back(change);
  wake_->set();
}

bool WatchStream::in_scope(const StoredObject& object) const { return spec_.ns.empty() || object.key.ns == spec_.ns; }

json::object WatchStream::in_form(json::object object) {
  if (spec_.form == Form::PartialMetadata) return partial_metadata(object);
  if (spec_.form != Form::Table) return object;
  json::array rows{table_row(*spec_.type, object, spec_.include, clock_.now())};
  json::value columns = columns_sent_ ? json::value(nullptr) : json::value(table_columns(*spec_.type));
  columns_sent_ = true;
  return table_of(std::move(columns), std::move(rows), json::object{{"resourceVersion", metadata_text(object, "resourceVersion")}});
}

Awaitable<bool> WatchStream::send_frame(net::ReplyWriter* out, std::string type, json::object object) {
  const std::string line = encode_json(json::object{{"type", type}, {"object", std::move(object)}});
  const bool sent = co_await out->write(line);
  co_return sent;
}

Awaitable<bool> WatchStream::send_bookmark(net::ReplyWriter* out, ResourceVersion version, bool initial_end) {
  json::object metadata{{"resourceVersion", std::to_string(version)}, {"creationTimestamp", nullptr}};
  if (initial_end) metadata["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
  json::object object{{"kind", spec_.type->kind}, {"apiVersion", spec_.type->group_version()}, {"metadata", std::move(metadata)}};
  if (spec_.form == Form::Table) {
    json::array blank(table_columns(*spec_.type).size(), nullptr);
    json::array rows{json::object{{"cells", std::move(blank)}, {"object", partial_metadata(object)}}};
    json::value columns = columns_sent_ ? json::value(nullptr) : json::value(table_columns(*spec_.type));
    columns_sent_ = true;
    object = table_of(std::move(columns), std::move(rows), json::object{{"resourceVersion", std::to_string(version)}});
  } else if (spec_.form == Form::PartialMetadata) {
    object = partial_metadata(object);
  }
  const bool sent = co_await send_frame(out, "BOOKMARK", std::move(object));
  co_return sent;
}

Awaitable<bool> WatchStream::send_expired(net::ReplyWriter* out, ResourceVersion asked) {
  const Failure failure = expired(fmt::format("too old resource version: {} ({})", asked, store_.oldest_watchable()));
  const bool sent = co_await send_frame(out, "ERROR", status_object(failure));
  co_return sent;
}

// Everything there is, as ADDED, where the client asks for a start from nothing or from any version.
Awaitable<Result<ResourceVersion>> WatchStream::send_initial(Context context, net::ReplyWriter* out) {
  const Result<ObjectList> all = co_await store_.list(context, spec_.type->stored_as(), ListOptions{.ns = spec_.ns});
  if (!all) co_return all.error();
  for (const StoredPtr& item : all->items) {
    json::object object = present(*spec_.type, item->body);
    if (!spec_.request.matches(object)) continue;
    const bool sent = co_await send_frame(out, "ADDED", in_form(std::move(object)));
    if (!sent) co_return Error{Errc::Cancelled, "the client is gone"};
  }
  if (spec_.request.initial_events && spec_.request.bookmarks) {
    const bool sent = co_await send_bookmark(out, all->version, true);
    if (!sent) co_return Error{Errc::Cancelled, "the client is gone"};
  }
  co_return all->version;
}

Awaitable<bool> WatchStream::send_change(net::ReplyWriter* out, Change change) {
  seen_ = std::max(seen_, change.object->version);
  if (!in_scope(*change.object)) co_return true;
  json::object now = present(*spec_.type, change.object->body);
  json::object before = change.previous ? present(*spec_.type, change.previous->body) : json::object{};
  const bool matches = spec_.request.matches(now);
  const bool matched = change.previous && spec_.request.matches(before);
  std::string type = "MODIFIED";
  if (change.type == ChangeType::Deleted) {
    if (!matches && !matched) co_return true;
    type = "DELETED";
  } else if (!matches && !matched) {
    co_return true;
  } else if (matches && !matched) {
    type = "ADDED";
  } else if (!matches) {
    // What leaves a selector looks deleted: the old body, but the version of the write that moved it out.
    type = "DELETED";
    now = std::move(before);
    now["metadata"].get_object()["resourceVersion"] = std::to_string(change.object->version);
  }
  const bool sent = co_await send_frame(out, type, in_form(std::move(now)));
  co_return sent;
}

Awaitable<bool> WatchStream::send_pending(net::ReplyWriter* out) {
  while (!pending_.empty()) {
    Change change = std::move(pending_.front());
    pending_.pop_front();
    const bool sent = co_await send_change(out, std::move(change));
    if (!sent) co_return false;
  }
  co_return true;
}

Awaitable<> WatchStream::follow(net::ReplyWriter* out, BootInstant deadline) {
  BootInstant next_bookmark = clock_.boot_now() + bookmark_every;
  bool last_bookmark = false;
  while (true) {
    const bool sent = co_await send_pending(out);
    if (!sent || ended_ || out->peer_gone()) co_return;
    const BootInstant now = clock_.boot_now();
    if (now >= deadline) co_return;
    const bool near_end = !last_bookmark && now + bookmark_before_end >= deadline;
    if (spec_.request.bookmarks && (now >= next_bookmark || near_end)) {
      last_bookmark = last_bookmark || near_end;
      next_bookmark = now + bookmark_every;
      const bool marked = co_await send_bookmark(out, std::max(seen_, store_.version()), false);
      if (!marked) co_return;
      continue;
    }
    Duration pause = std::min(deadline - now, peer_check_every);
    if (spec_.request.bookmarks) pause = std::min(pause, next_bookmark - now);
    if (spec_.request.bookmarks && !last_bookmark) pause = std::min(pause, std::max(Duration{1}, deadline - bookmark_before_end - now));
    const bool woken = co_await wake_->wait(clock_, pause);
    if (woken && !ended_) wake_ = std::make_unique<Event>(executor_);
  }
}

Awaitable<> WatchStream::run(Context context, net::ReplyWriter* out) {
  Duration timeout = timeout_min + Duration{random_.below(static_cast<std::uint32_t>(timeout_min.count()))};
  if (spec_.request.timeout_s && *spec_.request.timeout_s > 0)
    timeout = std::chrono::seconds(std::min<std::int64_t>(*spec_.request.timeout_s, 86'400));
  const BootInstant deadline = clock_.boot_now() + timeout;
  net::Headers headers{{"Content-Type", "application/json"}, {"Cache-Control", "no-cache, private"}};
  const bool begun = co_await out->begin(200, std::move(headers));
  if (!begun || open_.stopped()) co_return;

  ResourceVersion since = spec_.request.version;
  if (spec_.request.version == 0 || spec_.request.initial_events) {
    const Result<ResourceVersion> initial = co_await send_initial(context, out);
    if (!initial) co_return;
    since = *initial;
  }
  seen_ = since;
  const Result<std::unique_ptr<Watch>> watch = co_await store_.watch(context, spec_.type->stored_as(), since, *this);
  if (!watch) {
    const bool told = co_await send_expired(out, since);
    (void)told;
    co_return;
  }
  co_await follow(out, deadline);
}

}  // namespace keyturn::embedded
