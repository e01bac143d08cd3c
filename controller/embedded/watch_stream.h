// One watch of one client: the changes of a kind from a version on, filtered and shown in the client's form, one JSON line each.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <set>

#include "base/context.h"
#include "base/event.h"
#include "base/net/http_server.h"
#include "base/random.h"
#include "controller/embedded/list_options.h"
#include "controller/embedded/negotiation.h"
#include "controller/embedded/table.h"
#include "controller/runtime/store.h"

namespace keyturn::embedded {

struct WatchSpec {
  const ResourceType* type = nullptr;
  std::string ns;
  ListRequest request;
  Form form = Form::Json;
  IncludeObject include = IncludeObject::Metadata;
};

class WatchStream;

// The watches that are open, so that a server that stops can end them all with a clean end of file.
class OpenWatches {
 public:
  void stop();  // ends all, and every later one at once
  bool stopped() const noexcept { return stopped_; }

 private:
  friend class WatchStream;
  std::set<WatchStream*> streams_;
  bool stopped_ = false;
};

class WatchStream final : public ChangeSink {
 public:
  static constexpr std::size_t buffered_max = 1000;  // a client that is slower is cut off and comes back
  static constexpr Duration bookmark_every{60'000};
  static constexpr Duration bookmark_before_end{2'000};
  static constexpr Duration peer_check_every{5'000};
  static constexpr Duration timeout_min{1'800'000};  // without timeoutSeconds: a random time between this and twice this

  WatchStream(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, OpenWatches& open, WatchSpec spec);
  ~WatchStream() override;

  // Writes the whole reply. Returns at the timeout, when the client or the server goes, or when the client is too slow.
  Awaitable<> run(Context context, net::ReplyWriter* out);

  void on_change(const Change& change) override;
  void on_closed() override;
  void end();

 private:
  Awaitable<Result<ResourceVersion>> send_initial(Context context, net::ReplyWriter* out);
  Awaitable<bool> send_pending(net::ReplyWriter* out);
  Awaitable<bool> send_frame(net::ReplyWriter* out, std::string type, boost::json::object object);
  Awaitable<bool> send_change(net::ReplyWriter* out, Change change);
  Awaitable<bool> send_bookmark(net::ReplyWriter* out, ResourceVersion version, bool initial_end);
  Awaitable<bool> send_expired(net::ReplyWriter* out, ResourceVersion asked);
  Awaitable<> follow(net::ReplyWriter* out, BootInstant deadline);
  boost::json::object in_form(boost::json::object object);
  bool in_scope(const StoredObject& object) const;

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  Random& random_;
  Store& store_;
  OpenWatches& open_;
  WatchSpec spec_;
  std::deque<Change> pending_;
  ResourceVersion seen_ = 0;
  bool ended_ = false;
  bool columns_sent_ = false;
  std::unique_ptr<Event> wake_;
};

}  // namespace keyturn::embedded
