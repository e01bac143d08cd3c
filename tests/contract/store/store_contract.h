// What every Store has to do. Instantiated with a harness per implementation:
//   struct Harness { boost::asio::io_context& io(); Clock& clock(); Store& store(); Task<> compact(ResourceVersion); void close_watches();
//   };
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/run_loop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/test_objects.h"

namespace keyturn {

template <class Harness>
class StoreContract : public ::testing::Test {
 protected:
  Store& store() { return harness_.store(); }
  Context context() { return Context(harness_.clock(), "test"); }
  template <class T>
  T run(boost::asio::awaitable<T> task) {
    return keyturn::run(harness_.io(), std::move(task));
  }
  void settle() { run_ready(harness_.io()); }
  void run_until(const std::function<bool()>& finished) { keyturn::run_until(harness_.io(), finished); }

  Result<StoredPtr> get(const ObjectKey& key, const Resource& resource = rotations) { return run(store().get(context(), resource, key)); }
  Result<StoredPtr> create(const ObjectKey& key, int number = 1, const Resource& resource = rotations) {
    return run(store().create(context(), resource, key, test_body(key, number)));
  }
  Result<StoredPtr> update(const ObjectKey& key, int number, ResourceVersion expected, const Resource& resource = rotations) {
    return run(store().update(context(), resource, key, test_body(key, number), expected));
  }
  Result<StoredPtr> remove(const ObjectKey& key, ResourceVersion expected, const Resource& resource = rotations) {
    return run(store().remove(context(), resource, key, expected));
  }
  Result<ObjectList> list(ListOptions options = {}, const Resource& resource = rotations) {
    return run(store().list(context(), resource, options));
  }
  Result<std::unique_ptr<Watch>> watch(ResourceVersion since, ChangeSink& sink, const Resource& resource = rotations) {
    return run(store().watch(context(), resource, since, sink));
  }
  Task<> compact(ResourceVersion up_to) { return harness_.compact(up_to); }
  void close_watches() { harness_.close_watches(); }

  // Opens two watches and cuts the history. Nothing runs in between, so the first cannot have read its backlog.
  Task<> cut_behind(RecordingSink& behind, RecordingSink& ahead, ResourceVersion since, std::vector<std::unique_ptr<Watch>>& watches) {
    Result<std::unique_ptr<Watch>> first = co_await store().watch(context(), rotations, since, behind);
    Result<std::unique_ptr<Watch>> second = co_await store().watch(context(), rotations, store().version(), ahead);
    if (!first || !second) co_return Error{Errc::Internal, "no watch"};
    watches.push_back(std::move(*first));
    watches.push_back(std::move(*second));
    const Result<> compacted = co_await compact(store().version());
    co_return compacted;
  }

  // One of the two, whatever is there.
  void put(const ObjectKey& key, int number) {
    const Result<StoredPtr> current = get(key);
    const Result<StoredPtr> written = current ? update(key, number, (*current)->version) : create(key, number);
    ASSERT_TRUE(written);
  }

  static std::vector<std::string> names(const ObjectList& page) {
    std::vector<std::string> found;
    for (const auto& object : page.items) found.push_back(object->key.to_string() + "=" + std::to_string(number_of(*object)));
    return found;
  }

  Harness harness_;
};

TYPED_TEST_SUITE_P(StoreContract);

using Names = std::vector<std::string>;

TYPED_TEST_P(StoreContract, ACreatedObjectIsFoundWithItsVersionAndUid) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 7);
  ASSERT_TRUE(created);
  EXPECT_EQ((*created)->version, this->store().version());
  EXPECT_EQ(version_in_body(**created), std::to_string((*created)->version));
  EXPECT_EQ((*created)->uid.value, uid_of_test_object({"erp", "db"}));
  EXPECT_EQ((*created)->resource, rotations);
  const Result<StoredPtr> found = this->get({"erp", "db"});
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->body, (*created)->body);
}

TYPED_TEST_P(StoreContract, AnEmptyStoreHasAVersionThatIsNotZero) {
  EXPECT_GT(this->store().version(), 0U);
  const Result<ObjectList> listed = this->list();
  ASSERT_TRUE(listed);
  EXPECT_TRUE(listed->items.empty());
  EXPECT_EQ(listed->version, this->store().version());
  EXPECT_TRUE(listed->next.empty());
}

TYPED_TEST_P(StoreContract, ABodyWithoutMetadataGetsAVersion) {
  const Result<StoredPtr> created = this->run(this->store().create(this->context(), rotations, {"erp", "db"}, {{"kind", "X"}}));
  ASSERT_TRUE(created);
  EXPECT_EQ(version_in_body(**created), std::to_string((*created)->version));
  EXPECT_TRUE((*created)->uid.empty());
}

TYPED_TEST_P(StoreContract, AMissingObjectIsNotFound) {
  EXPECT_EQ(this->get({"erp", "db"}).error().code, Errc::NotFound);
  EXPECT_EQ(this->update({"erp", "db"}, 1, 1).error().code, Errc::NotFound);
  EXPECT_EQ(this->remove({"erp", "db"}, 1).error().code, Errc::NotFound);
  ASSERT_TRUE(this->create({"erp", "db"}));
  EXPECT_EQ(this->get({"erp", "db"}, runs).error().code, Errc::NotFound) << "kinds are apart";
  EXPECT_EQ(this->get({"crm", "db"}).error().code, Errc::NotFound) << "namespaces are apart";
}

TYPED_TEST_P(StoreContract, CreatingWhatExistsIsAConflictAndChangesNothing) {
  ASSERT_TRUE(this->create({"erp", "db"}, 1));
  const ResourceVersion before = this->store().version();
  EXPECT_EQ(this->create({"erp", "db"}, 2).error().code, Errc::Conflict);
  EXPECT_EQ(this->store().version(), before);
  EXPECT_EQ(number_of(**this->get({"erp", "db"})), 1);
}

TYPED_TEST_P(StoreContract, AnUpdateNeedsTheVersionThatWasRead) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  const Result<StoredPtr> updated = this->update({"erp", "db"}, 2, (*created)->version);
  ASSERT_TRUE(updated);
  EXPECT_GT((*updated)->version, (*created)->version);
  EXPECT_EQ(this->update({"erp", "db"}, 3, (*created)->version).error().code, Errc::Conflict);
  EXPECT_EQ(this->update({"erp", "db"}, 3, (*updated)->version + 1).error().code, Errc::Conflict);
  EXPECT_EQ(number_of(**this->get({"erp", "db"})), 2);
}

TYPED_TEST_P(StoreContract, OfTwoConcurrentUpdatesOneWins) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  const ObjectKey key{"erp", "db"};
  auto& io = this->harness_.io();
  auto first = start(io, this->store().update(this->context(), rotations, key, test_body(key, 2), (*created)->version));
  auto second = start(io, this->store().update(this->context(), rotations, key, test_body(key, 3), (*created)->version));
  this->run_until([&] { return first.done() && second.done(); });
  const Result<StoredPtr> a = first.take();
  const Result<StoredPtr> b = second.take();
  EXPECT_NE(a.has_value(), b.has_value());
  EXPECT_EQ((a ? b : a).error().code, Errc::Conflict);
  EXPECT_EQ(this->store().version(), (*created)->version + 1);
}

TYPED_TEST_P(StoreContract, ConcurrentWritesGetDifferentVersionsInTheOrderOfTheirCalls) {
  auto& io = this->harness_.io();
  std::vector<Started<Result<StoredPtr>>> started;
  for (int i = 0; i < 20; ++i) {
    const ObjectKey key{"erp", "db-" + std::to_string(i)};
    started.push_back(start(io, this->store().create(this->context(), rotations, key, test_body(key, i))));
  }
  this->run_until([&] { return std::all_of(started.begin(), started.end(), [](const auto& task) { return task.done(); }); });
  ResourceVersion last = 0;
  for (auto& task : started) {
    const Result<StoredPtr> created = task.take();
    ASSERT_TRUE(created);
    EXPECT_GT((*created)->version, last);
    last = (*created)->version;
  }
}

TYPED_TEST_P(StoreContract, WhatWasHandedOutDoesNotChange) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  ASSERT_TRUE(this->update({"erp", "db"}, 2, (*created)->version));
  EXPECT_EQ(number_of(**created), 1);
  EXPECT_EQ(version_in_body(**created), std::to_string((*created)->version));
}

TYPED_TEST_P(StoreContract, AnUpdateThatChangesNothingConsumesNoVersionAndIsNotWatched) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  RecordingSink sink;
  const auto watch = this->watch(this->store().version(), sink);
  ASSERT_TRUE(watch);
  // Once without a version in the body, once with the current one: neither counts as a difference.
  const Result<StoredPtr> bare = this->update({"erp", "db"}, 1, (*created)->version);
  const Result<StoredPtr> full =
      this->run(this->store().update(this->context(), rotations, {"erp", "db"}, (*created)->body, (*created)->version));
  ASSERT_TRUE(bare);
  ASSERT_TRUE(full);
  EXPECT_EQ((*bare)->version, (*created)->version);
  EXPECT_EQ((*full)->version, (*created)->version);
  EXPECT_EQ(this->store().version(), (*created)->version);
  this->settle();
  EXPECT_TRUE(sink.changes.empty());
}

TYPED_TEST_P(StoreContract, AStaleUpdateThatWouldChangeNothingIsStillAConflict) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  EXPECT_EQ(this->update({"erp", "db"}, 1, (*created)->version - 1).error().code, Errc::Conflict);
}

TYPED_TEST_P(StoreContract, EveryMemberButTheVersionCountsAsAChange) {
  const ObjectKey key{"erp", "db"};
  ResourceVersion version = (*this->create(key, 1))->version;
  const auto change = [&](const std::function<void(boost::json::object&)>& edit) {
    boost::json::object body = (*this->get(key))->body;
    edit(body);
    const Result<StoredPtr> updated = this->run(this->store().update(this->context(), rotations, key, body, version));
    ASSERT_TRUE(updated);
    EXPECT_GT((*updated)->version, version);
    version = (*updated)->version;
  };
  change([](auto& body) { body["metadata"].as_object()["labels"] = {{"a", "b"}}; });
  change([](auto& body) { body["metadata"].as_object().erase("labels"); });
  change([](auto& body) { body["status"] = {{"ready", true}}; });
  change([](auto& body) { body["status"] = {{"ready", nullptr}}; });
  change([](auto& body) { body.erase("status"); });
  change([](auto& body) { body["spec"].as_object()["number"] = "1"; });
}

TYPED_TEST_P(StoreContract, ARemovalNeedsTheVersionThatWasReadAndTellsTheLastState) {
  const Result<StoredPtr> created = this->create({"erp", "db"}, 5);
  EXPECT_EQ(this->remove({"erp", "db"}, (*created)->version + 1).error().code, Errc::Conflict);
  const Result<StoredPtr> removed = this->remove({"erp", "db"}, (*created)->version);
  ASSERT_TRUE(removed);
  EXPECT_EQ(number_of(**removed), 5);
  EXPECT_EQ((*removed)->version, (*created)->version + 1);
  EXPECT_EQ(version_in_body(**removed), std::to_string((*removed)->version));
  EXPECT_EQ(this->get({"erp", "db"}).error().code, Errc::NotFound);
  EXPECT_EQ(this->remove({"erp", "db"}, (*removed)->version).error().code, Errc::NotFound);
}

TYPED_TEST_P(StoreContract, ARemovedNameCanBeUsedAgain) {
  const Result<StoredPtr> first = this->create({"erp", "db"}, 1);
  ASSERT_TRUE(this->remove({"erp", "db"}, (*first)->version));
  const Result<StoredPtr> second = this->create({"erp", "db"}, 2);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->version, (*first)->version + 2);
}

TYPED_TEST_P(StoreContract, OneCounterServesAllKinds) {
  const ResourceVersion first = (*this->create({"erp", "db"}, 1, rotations))->version;
  const ResourceVersion second = (*this->create({"erp", "db"}, 1, runs))->version;
  const ResourceVersion third = (*this->create({"", "node"}, 1, core_secrets))->version;
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(third, first + 2);
}

TYPED_TEST_P(StoreContract, AListIsByNamespaceThenName) {
  for (const ObjectKey& key : {ObjectKey{"b", "a"}, ObjectKey{"a", "b"}, ObjectKey{"a", "a"}, ObjectKey{"", "z"}, ObjectKey{"a-b", "a"}}) {
    ASSERT_TRUE(this->create(key));
  }
  EXPECT_EQ(this->names(*this->list()), (Names{"z=1", "a/a=1", "a/b=1", "a-b/a=1", "b/a=1"}));
  EXPECT_EQ(this->names(*this->list({.ns = "a"})), (Names{"a/a=1", "a/b=1"}));
  EXPECT_EQ(this->names(*this->list({.ns = "c"})), Names());
  EXPECT_EQ(this->names(*this->list({}, runs)), Names());
}

TYPED_TEST_P(StoreContract, PagesTogetherAreTheWholeList) {
  for (int i = 10; i < 17; ++i) ASSERT_TRUE(this->create({i % 2 == 0 ? "a" : "b", "db-" + std::to_string(i)}));
  for (std::size_t limit = 1; limit <= 8; ++limit) {
    Names collected;
    ListOptions options{.limit = limit};
    do {
      const Result<ObjectList> page = this->list(options);
      ASSERT_TRUE(page);
      EXPECT_LE(page->items.size(), limit);
      for (const auto& name : this->names(*page)) collected.push_back(name);
      options.after = page->next;
      options.at = page->version;
    } while (!options.after.empty());
    EXPECT_EQ(collected, this->names(*this->list())) << "limit " << limit;
  }
}

TYPED_TEST_P(StoreContract, APageWithinANamespaceEndsWithIt) {
  for (const char* name : {"1", "2", "3"}) ASSERT_TRUE(this->create({"a", name}));
  ASSERT_TRUE(this->create({"b", "1"}));
  const Result<ObjectList> first = this->list({.ns = "a", .limit = 2});
  const Result<ObjectList> second = this->list({.ns = "a", .limit = 2, .after = first->next});
  EXPECT_EQ(this->names(*second), (Names{"a/3=1"}));
  EXPECT_TRUE(second->next.empty());
  const Result<ObjectList> exact = this->list({.ns = "a", .limit = 3});
  EXPECT_TRUE(exact->next.empty()) << "nothing follows in this namespace";
}

TYPED_TEST_P(StoreContract, PagesOfOneVersionDoNotSeeLaterWrites) {
  for (const char* name : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(this->create({"erp", name}, 1));
  const Result<ObjectList> first = this->list({.limit = 2});
  ASSERT_TRUE(first);
  ASSERT_TRUE(this->remove({"erp", "c"}, (*this->get({"erp", "c"}))->version));
  this->put({"erp", "d"}, 2);
  this->put({"erp", "d"}, 3);
  ASSERT_TRUE(this->create({"erp", "cc"}, 9));
  ASSERT_TRUE(this->create({"erp", "c"}, 9));
  const Result<ObjectList> second = this->list({.limit = 2, .after = first->next, .at = first->version});
  ASSERT_TRUE(second);
  EXPECT_EQ(this->names(*second), (Names{"erp/c=1", "erp/d=1"}));
  const Result<ObjectList> third = this->list({.limit = 2, .after = second->next, .at = first->version});
  ASSERT_TRUE(third);
  EXPECT_EQ(this->names(*third), (Names{"erp/e=1"}));
  EXPECT_EQ(third->version, first->version);
  EXPECT_TRUE(third->next.empty());
}

TYPED_TEST_P(StoreContract, AnyVersionOfTheHistoryCanBeListed) {
  std::map<ResourceVersion, Names> states;
  SeededRandom random(20261122);
  states[this->store().version()] = {};
  for (int i = 0; i < 60; ++i) {
    const ObjectKey key{"erp", "db-" + std::to_string(random.below(6))};
    const Result<StoredPtr> current = this->get(key);
    if (current && random.below(3) == 0) {
      ASSERT_TRUE(this->remove(key, (*current)->version));
    } else {
      this->put(key, 1000 + i);
    }
    states[this->store().version()] = this->names(*this->list());
  }
  for (const auto& [version, expected] : states) {
    const Result<ObjectList> then = this->list({.at = version});
    ASSERT_TRUE(then);
    EXPECT_EQ(this->names(*then), expected) << "version " << version;
  }
}

TYPED_TEST_P(StoreContract, AListOfAVersionThatIsGoneOrToComeIsExpired) {
  ASSERT_TRUE(this->create({"erp", "a"}));
  const ResourceVersion old = this->store().version();
  ASSERT_TRUE(this->create({"erp", "b"}));
  EXPECT_EQ(this->list({.at = this->store().version() + 1}).error().code, Errc::Expired);
  ASSERT_TRUE(this->run(this->compact(this->store().version())));
  EXPECT_EQ(this->list({.at = old}).error().code, Errc::Expired);
  EXPECT_TRUE(this->list({.at = this->store().version()}));
}

TYPED_TEST_P(StoreContract, AWatchSeesWhatHappensFromThenOn) {
  ASSERT_TRUE(this->create({"erp", "before"}));
  RecordingSink sink;
  const auto watch = this->watch(this->store().version(), sink);
  ASSERT_TRUE(watch);
  const Result<StoredPtr> created = this->create({"erp", "db"}, 1);
  const Result<StoredPtr> updated = this->update({"erp", "db"}, 2, (*created)->version);
  const Result<StoredPtr> removed = this->remove({"erp", "db"}, (*updated)->version);
  this->run_until([&] { return sink.changes.size() == 3; });
  EXPECT_EQ(sink.changes[0].type, ChangeType::Added);
  EXPECT_EQ(sink.changes[0].object->version, (*created)->version);
  EXPECT_EQ(sink.changes[0].previous, nullptr);
  EXPECT_EQ(sink.changes[1].type, ChangeType::Modified);
  EXPECT_EQ(number_of(*sink.changes[1].object), 2);
  EXPECT_EQ(number_of(*sink.changes[1].previous), 1);
  EXPECT_EQ(sink.changes[2].type, ChangeType::Deleted);
  EXPECT_EQ(sink.changes[2].object->version, (*removed)->version);
  EXPECT_EQ(version_in_body(*sink.changes[2].object), std::to_string((*removed)->version));
  EXPECT_EQ(sink.changes[2].previous->version, (*updated)->version);
}

TYPED_TEST_P(StoreContract, AWatchDeliversItsBacklogFirstAndAllInOrder) {
  const ResourceVersion since = this->store().version();
  for (int i = 0; i < 150; ++i) this->put({"erp", "db-" + std::to_string(i % 7)}, i);
  RecordingSink sink;
  const auto watch = this->watch(since, sink);
  ASSERT_TRUE(watch);
  for (int i = 150; i < 170; ++i) this->put({"erp", "db-" + std::to_string(i % 7)}, i);
  this->run_until([&] { return sink.changes.size() == 170; });
  for (std::size_t i = 0; i < sink.changes.size(); ++i) {
    EXPECT_EQ(number_of(*sink.changes[i].object), static_cast<std::int64_t>(i));
    EXPECT_EQ(sink.changes[i].object->version, since + 1 + i);
  }
}

TYPED_TEST_P(StoreContract, AWatchSeesOneKindOnly) {
  RecordingSink sink;
  const auto watch = this->watch(this->store().version(), sink);
  ASSERT_TRUE(this->create({"erp", "db"}, 1, runs));
  ASSERT_TRUE(this->create({"erp", "db"}, 2, rotations));
  ASSERT_TRUE(this->create({"erp", "db"}, 3, core_secrets));
  this->run_until([&] { return !sink.changes.empty(); });
  this->settle();
  ASSERT_EQ(sink.changes.size(), 1U);
  EXPECT_EQ(number_of(*sink.changes[0].object), 2);
}

TYPED_TEST_P(StoreContract, ASinkIsNeverCalledFromInsideAStoreCall) {
  RecordingSink sink;
  bool inside = true;
  const ObjectKey key{"erp", "db"};
  sink.and_then = [&](const Change&) { EXPECT_FALSE(inside); };
  const auto calls = [](Store& store, Context context, RecordingSink& into, bool& during) -> Task<> {
    during = true;
    const ResourceVersion since = store.version() - 1;
    Result<std::unique_ptr<Watch>> watch = co_await store.watch(context, rotations, since, into);
    during = false;
    if (!watch) co_return watch.error();
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    co_return ok();
  };
  ASSERT_TRUE(this->create(key));
  ASSERT_TRUE(this->run(calls(this->store(), this->context(), sink, inside)));
}

TYPED_TEST_P(StoreContract, AWatchFromTheFutureIsExpired) {
  RecordingSink sink;
  EXPECT_EQ(this->watch(this->store().version() + 1, sink).error().code, Errc::Expired);
}

TYPED_TEST_P(StoreContract, AWatchFromACompactedVersionIsExpired) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(this->create({"erp", name}));
  const ResourceVersion cut = this->store().version() - 1;
  ASSERT_TRUE(this->run(this->compact(cut)));
  EXPECT_EQ(this->store().oldest_watchable(), cut);
  RecordingSink sink;
  EXPECT_EQ(this->watch(cut - 1, sink).error().code, Errc::Expired);
  const auto watch = this->watch(cut, sink);
  ASSERT_TRUE(watch);
  this->run_until([&] { return !sink.changes.empty(); });
  EXPECT_EQ(sink.changes[0].object->key.name, "c");
}

TYPED_TEST_P(StoreContract, ASinkThatIsTooSlowIsClosedAndOthersAreNot) {
  const ResourceVersion since = this->store().version();
  ASSERT_TRUE(this->create({"erp", "a"}));
  ASSERT_TRUE(this->create({"erp", "b"}));
  RecordingSink slow;
  RecordingSink prompt;
  std::vector<std::unique_ptr<Watch>> watches;
  ASSERT_TRUE(this->run(this->cut_behind(slow, prompt, since, watches)));
  ASSERT_TRUE(this->create({"erp", "c"}));
  this->run_until([&] { return slow.closed == 1 && prompt.changes.size() == 1; });
  this->settle();
  EXPECT_TRUE(slow.changes.empty());
  EXPECT_EQ(slow.closed, 1);
  EXPECT_EQ(prompt.closed, 0);
}

TYPED_TEST_P(StoreContract, AWatchOfAQuietKindSurvivesTheChurnOfOthers) {
  RecordingSink sink;
  const auto watch = this->watch(this->store().version(), sink, runs);
  for (int i = 0; i < 30; ++i) {
    this->put({"erp", "db"}, i);
    this->settle();
    ASSERT_TRUE(this->run(this->compact(this->store().version())));
  }
  ASSERT_TRUE(this->create({"erp", "run"}, 1, runs));
  this->run_until([&] { return sink.changes.size() == 1; });
  EXPECT_EQ(sink.closed, 0);
}

TYPED_TEST_P(StoreContract, AWatchThatWasDroppedDeliversNothingMore) {
  RecordingSink sink;
  auto watch = this->watch(this->store().version(), sink);
  ASSERT_TRUE(this->create({"erp", "a"}));
  this->run_until([&] { return sink.changes.size() == 1; });
  watch->reset();
  ASSERT_TRUE(this->create({"erp", "b"}));
  this->close_watches();
  this->settle();
  EXPECT_EQ(sink.changes.size(), 1U);
  EXPECT_EQ(sink.closed, 0);
}

TYPED_TEST_P(StoreContract, ASinkMayDropItsWatchWhileItIsCalled) {
  RecordingSink sink;
  const ResourceVersion since = this->store().version();
  ASSERT_TRUE(this->create({"erp", "a"}));
  ASSERT_TRUE(this->create({"erp", "b"}));
  Result<std::unique_ptr<Watch>> watch = this->watch(since, sink);
  sink.and_then = [&](const Change&) { watch->reset(); };
  this->run_until([&] { return !sink.changes.empty(); });
  this->settle();
  EXPECT_EQ(sink.changes.size(), 1U);
}

TYPED_TEST_P(StoreContract, ClosingTellsEveryWatchOnce) {
  RecordingSink first;
  RecordingSink second;
  const auto a = this->watch(this->store().version(), first);
  const auto b = this->watch(this->store().version(), second, runs);
  this->close_watches();
  this->close_watches();
  EXPECT_EQ(first.closed + second.closed, 0) << "not from inside the call";
  this->settle();
  EXPECT_EQ(first.closed, 1);
  EXPECT_EQ(second.closed, 1);
  EXPECT_TRUE(this->create({"erp", "a"})) << "the store itself goes on";
}

TYPED_TEST_P(StoreContract, TheStoreHasAnIdentity) { EXPECT_FALSE(this->store().identity().empty()); }

REGISTER_TYPED_TEST_SUITE_P(StoreContract, ACreatedObjectIsFoundWithItsVersionAndUid, AnEmptyStoreHasAVersionThatIsNotZero,
                            ABodyWithoutMetadataGetsAVersion, AMissingObjectIsNotFound, CreatingWhatExistsIsAConflictAndChangesNothing,
                            AnUpdateNeedsTheVersionThatWasRead, OfTwoConcurrentUpdatesOneWins,
                            ConcurrentWritesGetDifferentVersionsInTheOrderOfTheirCalls, WhatWasHandedOutDoesNotChange,
                            AnUpdateThatChangesNothingConsumesNoVersionAndIsNotWatched, AStaleUpdateThatWouldChangeNothingIsStillAConflict,
                            EveryMemberButTheVersionCountsAsAChange, ARemovalNeedsTheVersionThatWasReadAndTellsTheLastState,
                            ARemovedNameCanBeUsedAgain, OneCounterServesAllKinds, AListIsByNamespaceThenName, PagesTogetherAreTheWholeList,
                            APageWithinANamespaceEndsWithIt, PagesOfOneVersionDoNotSeeLaterWrites, AnyVersionOfTheHistoryCanBeListed,
                            AListOfAVersionThatIsGoneOrToComeIsExpired, AWatchSeesWhatHappensFromThenOn,
                            AWatchDeliversItsBacklogFirstAndAllInOrder, AWatchSeesOneKindOnly, ASinkIsNeverCalledFromInsideAStoreCall,
                            AWatchFromTheFutureIsExpired, AWatchFromACompactedVersionIsExpired, ASinkThatIsTooSlowIsClosedAndOthersAreNot,
                            AWatchOfAQuietKindSurvivesTheChurnOfOthers, AWatchThatWasDroppedDeliversNothingMore,
                            ASinkMayDropItsWatchWhileItIsCalled, ClosingTellsEveryWatchOnce, TheStoreHasAnIdentity);

}  // namespace keyturn
