// Watches: where they start, what a selector makes of changes, bookmarks, ends.
#include <gtest/gtest.h>

#include "controller/embedded/watch_stream.h"
#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;
using Told = std::vector<std::string>;

constexpr const char* table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

void label(ApiServerHarness& api, std::string_view name, std::string_view value) {
  ASSERT_EQ(api.patch(item(name), "merge", R"({"metadata":{"labels":{"go":")" + std::string(value) + R"("}}})").status, 200);
}

// Ends the watch, so that nothing of it is left when the harness goes.
void close(ApiServerHarness& api, TestWatch& watch) {
  watch.leave();
  run_for(api.io, api.clock, WatchStream::peer_check_every * 2);
  EXPECT_TRUE(watch.ended());
}

TEST(Watch, FromNothingTellsFirstWhatThereIs) {
  ApiServerHarness api;
  for (const std::string_view name : {"b", "a"}) api.post(collection, rotation(name));
  for (const std::string query : {"?watch=true", "?watch=true&resourceVersion=0"}) {
    TestWatch watch = api.watch(collection + query);
    EXPECT_EQ(watch.told(), (Told{"ADDED a", "ADDED b"}));
    close(api, watch);
  }
}

// kubectl get NAME -w drops the first event; without the synthetic one the user's first change would be lost.
TEST(Watch, OfOneNameBeginsWithIt) {
  ApiServerHarness api;
  for (const std::string_view name : {"a", "b"}) api.post(collection, rotation(name));
  TestWatch watch = api.watch(collection + "?fieldSelector=metadata.name%3Db&resourceVersion=0&watch=true");
  label(api, "a", "x");
  label(api, "b", "x");
  run_ready(api.io);
  EXPECT_EQ(watch.told(), (Told{"ADDED b", "MODIFIED b"}));
  close(api, watch);
}

TEST(Watch, FromAVersionTellsWhatCameAfter) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("a")).json();
  label(api, "a", "x");
  TestWatch watch = api.watch(collection + "?watch=true&resourceVersion=" + version_of(made));
  api.call("DELETE", item("a"));
  run_ready(api.io);
  EXPECT_EQ(watch.told(), (Told{"MODIFIED a", "DELETED a"}));
  EXPECT_EQ(version_of(watch.frames()[1].at("object").as_object()), std::to_string(api.store.version()));
  close(api, watch);
}

TEST(Watch, OfAVersionTooOldOrOfTheFutureEndsWithAnError) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("a")).json();
  for (int i = 0; i < 5; ++i) label(api, "a", std::to_string(i));
  api.store.compact(api.store.version());
  for (const std::string& version : {version_of(made), std::string("999999")}) {
    TestWatch watch = api.watch(collection + "?watch=true&resourceVersion=" + version);
    EXPECT_EQ(watch.status(), 200);
    ASSERT_EQ(watch.told(), (Told{"ERROR"}));
    const json::object status = watch.frames()[0].at("object").as_object();
    EXPECT_EQ(status.at("code"), 410);
    EXPECT_EQ(status.at("reason"), "Expired");
    EXPECT_EQ(std::string(status.at("message").as_string()).find("too old resource version: " + version + " ("), 0u);
    EXPECT_TRUE(watch.ended());
  }
}

TEST(Watch, UnderASelectorTurnsChangesIntoComingsAndGoings) {
  ApiServerHarness api;
  const json::object made = api.post(collection, rotation("a")).json();
  TestWatch watch = api.watch(collection + "?watch=true&labelSelector=go%3Dyes&resourceVersion=" + version_of(made));
  label(api, "a", "no");
  label(api, "a", "yes");
  ASSERT_EQ(api.patch(item("a"), "merge", R"({"spec":{"suspend":true}})").status, 200);
  label(api, "a", "no");
  api.call("DELETE", item("a"));
  run_ready(api.io);
  EXPECT_EQ(watch.told(), (Told{"ADDED a", "MODIFIED a", "DELETED a"}));
  const json::object gone = watch.frames()[2].at("object").as_object();
  EXPECT_EQ(gone.at("metadata").as_object().at("labels"), json::parse(R"({"go":"yes"})"));
  EXPECT_EQ(version_of(gone), std::to_string(api.store.version() - 1));
  close(api, watch);
}

TEST(Watch, StaysInItsNamespace) {
  ApiServerHarness api;
  api.post("/api/v1/namespaces", json::parse(R"({"metadata":{"name":"team"}})"));
  TestWatch watch = api.watch("/apis/keyturn.dev/v1alpha1/namespaces/team/secretrotations?watch=true");
  api.post(collection, rotation("a"));
  run_ready(api.io);
  EXPECT_TRUE(watch.told().empty());
  close(api, watch);
}

TEST(Watch, WithInitialEventsMarksTheirEnd) {
  ApiServerHarness api;
  api.post(collection, rotation("a"));
  TestWatch watch = api.watch(collection + "?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true");
  ASSERT_EQ(watch.told(), (Told{"ADDED a", "BOOKMARK"}));
  const json::object mark = watch.frames()[1].at("object").as_object();
  EXPECT_EQ(mark.at("metadata").as_object().at("annotations"), json::parse(R"({"k8s.io/initial-events-end":"true"})"));
  close(api, watch);
  TestWatch plain = api.watch(collection + "?resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true");
  EXPECT_EQ(plain.told(), (Told{"ADDED a"}));
  close(api, plain);
}

TEST(Watch, SendsABookmarkEachMinuteAndBeforeItsEnd) {
  ApiServerHarness api;
  TestWatch watch = api.watch(collection + "?watch=true&allowWatchBookmarks=true&timeoutSeconds=150");
  TestWatch unasked = api.watch(collection + "?watch=true&timeoutSeconds=150");
  run_for(api.io, api.clock, Duration{61'000});
  EXPECT_EQ(watch.told().size(), 1u);
  run_for(api.io, api.clock, Duration{60'000});
  EXPECT_EQ(watch.told().size(), 2u);
  EXPECT_FALSE(watch.ended());
  run_for(api.io, api.clock, Duration{30'000});
  EXPECT_TRUE(watch.ended());
  EXPECT_EQ(watch.told(), (Told{"BOOKMARK", "BOOKMARK", "BOOKMARK"}));
  EXPECT_TRUE(unasked.ended());
  EXPECT_TRUE(unasked.told().empty());
}

TEST(Watch, EndsAtItsTimeoutAndNotBefore) {
  ApiServerHarness api;
  TestWatch watch = api.watch(collection + "?watch=true&timeoutSeconds=30");
  run_for(api.io, api.clock, Duration{29'999});
  EXPECT_FALSE(watch.ended());
  run_for(api.io, api.clock, Duration{1});
  EXPECT_TRUE(watch.ended());
  TestWatch open = api.watch(collection + "?watch=true");
  run_for(api.io, api.clock, WatchStream::timeout_min);
  EXPECT_FALSE(open.ended());
  run_for(api.io, api.clock, WatchStream::timeout_min);
  EXPECT_TRUE(open.ended());
}

TEST(Watch, InTablesNamesTheColumnsOnce) {
  ApiServerHarness api;
  for (const std::string_view name : {"a", "b"}) api.post(collection, rotation(name));
  TestWatch watch = api.watch(collection + "?watch=true", table);
  const std::vector<json::object> frames = watch.frames();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_TRUE(frames[0].at("object").as_object().at("columnDefinitions").is_array());
  EXPECT_TRUE(frames[1].at("object").as_object().at("columnDefinitions").is_null());
  EXPECT_EQ(frames[1].at("object").as_object().at("rows").as_array()[0].at("cells").as_array()[0], "b");
  close(api, watch);
}

// Changes pile up while the client does not read: it is cut off and comes back; the writers notice nothing.
TEST(Watch, OfASlowClientIsCutOff) {
  ApiServerHarness api;
  OpenWatches open;
  WatchSpec spec;
  spec.type = find_type("keyturn.dev", "v1alpha1", "secretrotations");
  WatchStream stream(api.io.get_executor(), api.clock, api.random, api.store, open, spec);
  auto object = std::make_shared<StoredObject>();
  for (std::size_t i = 0; i <= WatchStream::buffered_max; ++i) stream.on_change({ChangeType::Added, object, nullptr});
  RecordingWriter writer;
  const BootInstant begun = api.clock.boot_now();
  run(api.io, api.clock, stream.run(api.context(), &writer));
  EXPECT_LT(api.clock.boot_now() - begun, Duration{1'000});
}

TEST(Watch, EndsCleanlyWhenTheServerStops) {
  ApiServerHarness api;
  TestWatch watch = api.watch(collection + "?watch=true");
  EXPECT_FALSE(watch.ended());
  run(api.io, api.clock, api.server.stop(Duration{1'000}));
  run_ready(api.io);
  EXPECT_TRUE(watch.ended());
  EXPECT_EQ(api.get("/readyz").status, 500);
  EXPECT_TRUE(api.watch(collection + "?watch=true").ended());
}

}  // namespace
}  // namespace keyturn::embedded
