// The verbs on objects: get, list, create, update, patch, delete, deletecollection, watch.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/embedded/watch_stream.h"
#include "controller/embedded/write_pipeline.h"

namespace keyturn::embedded {

// One request on a resource, its user allowed to make it.
struct ResourceCall {
  std::string verb;  // as verb_of() names it
  Route route;
  const ResourceType* type = nullptr;
  net::Headers headers;
  std::string body;
  User user;

  Part part() const { return route.subresource == "status" ? Part::Status : Part::Main; }
  ObjectKey key() const { return {route.ns, route.name}; }
  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
};

// Whether the path and the method make sense for the kind; 404 or 405 otherwise. Checked before the user's rights.
Answer<> check_call(const ResourceType& type, const Route& route, const std::string& method, const std::string& verb);

class ResourceEndpoints {
 public:
  ResourceEndpoints(boost::asio::any_io_executor executor, Clock& clock, Random& random, Store& store, WritePipeline& pipeline)
      : executor_(std::move(executor)), clock_(clock), random_(random), store_(store), pipeline_(pipeline) {}

  // All verbs but watch.
  Awaitable<Answer<net::HttpReply>> serve(Context context, ResourceCall call);
  // Writes its reply itself; fails only before the first byte.
  Awaitable<Answer<>> watch(Context context, ResourceCall call, net::ReplyWriter* out);
  void stop_watches() { open_.stop(); }

 private:
  struct Page {
    std::vector<boost::json::object> items;
    boost::json::object metadata;
  };
  Awaitable<Answer<net::HttpReply>> get(Context context, ResourceCall call);
  Awaitable<Answer<net::HttpReply>> list(Context context, ResourceCall call);
  Awaitable<Answer<Page>> read_page(Context context, const ResourceType* type, std::string ns, ListRequest request);
  Awaitable<Answer<net::HttpReply>> create(Context context, ResourceCall call);
  Awaitable<Answer<net::HttpReply>> update(Context context, ResourceCall call);
  Awaitable<Answer<net::HttpReply>> patch(Context context, ResourceCall call);
  Awaitable<Answer<net::HttpReply>> remove(Context context, ResourceCall call);
  Awaitable<Answer<net::HttpReply>> remove_all(Context context, ResourceCall call);
  Answer<net::HttpReply> object_reply(const ResourceCall& call, int status, boost::json::object object) const;
  Answer<net::HttpReply> written_reply(const ResourceCall& call, Written written) const;
  Answer<net::HttpReply> list_reply(const ResourceCall& call, Page page) const;

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  Random& random_;
  Store& store_;
  WritePipeline& pipeline_;
  OpenWatches open_;
};

}  // namespace keyturn::embedded
