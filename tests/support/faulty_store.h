// A Store in front of another one that fails on command and remembers how it was called.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "controller/runtime/store.h"

namespace keyturn {

class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& store) : store_(store) {}

  // The next calls fail with these, one each, before the store behind sees them.
  std::deque<Error> list_errors;
  std::deque<Error> watch_errors;
  std::deque<Error> write_errors;
  std::deque<Error> get_errors;
  // The next writes are applied, and the caller is told this instead.
  std::deque<Error> lost_replies;
  // Runs before a list or a watch is passed on, as in writing or compacting between two pages.
  std::function<void(const ListOptions&)> before_list;
  std::function<void(ResourceVersion)> before_watch;

  std::vector<ListOptions> lists;
  std::vector<ResourceVersion> watches;
  std::size_t writes = 0;

  Task<StoredPtr> get(Context context, Resource resource, ObjectKey key) override {
    if (auto error = take(get_errors)) co_return *error;
    Result<StoredPtr> object = co_await store_.get(std::move(context), std::move(resource), std::move(key));
    co_return object;
  }

  Task<ObjectList> list(Context context, Resource resource, ListOptions options) override {
    lists.push_back(options);
    if (before_list) before_list(options);
    if (auto error = take(list_errors)) co_return *error;
    Result<ObjectList> page = co_await store_.list(std::move(context), std::move(resource), std::move(options));
    co_return page;
  }

  Task<std::unique_ptr<Watch>> watch(Context context, Resource resource, ResourceVersion since, ChangeSink& sink) override {
    watches.push_back(since);
    if (before_watch) before_watch(since);
    if (auto error = take(watch_errors)) co_return *error;
    Result<std::unique_ptr<Watch>> opened = co_await store_.watch(std::move(context), std::move(resource), since, sink);
    co_return opened;
  }

  Task<StoredPtr> create(Context context, Resource resource, ObjectKey key, boost::json::object body) override {
    ++writes;
    if (auto error = take(write_errors)) co_return *error;
    Result<StoredPtr> object = co_await store_.create(std::move(context), std::move(resource), std::move(key), std::move(body));
    if (auto error = take(lost_replies)) co_return *error;
    co_return object;
  }

  Task<StoredPtr> update(Context context, Resource resource, ObjectKey key, boost::json::object body, ResourceVersion expected) override {
    ++writes;
    if (auto error = take(write_errors)) co_return *error;
    Result<StoredPtr> object = co_await store_.update(std::move(context), std::move(resource), std::move(key), std::move(body), expected);
    if (auto error = take(lost_replies)) co_return *error;
    co_return object;
  }

  Task<StoredPtr> remove(Context context, Resource resource, ObjectKey key, ResourceVersion expected) override {
    ++writes;
    if (auto error = take(write_errors)) co_return *error;
    Result<StoredPtr> object = co_await store_.remove(std::move(context), std::move(resource), std::move(key), expected);
    if (auto error = take(lost_replies)) co_return *error;
    co_return object;
  }

  ResourceVersion version() const override { return store_.version(); }
  ResourceVersion oldest_watchable() const override { return store_.oldest_watchable(); }
  Uid identity() const override { return store_.identity(); }

 private:
  static std::optional<Error> take(std::deque<Error>& errors) {
    if (errors.empty()) return std::nullopt;
    Error error = std::move(errors.front());
    errors.pop_front();
    return error;
  }

  Store& store_;
};

}  // namespace keyturn
