#include "controller/embedded/object_writer.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

const Resource rotations{"keyturn.dev", "secretrotations"};
const ObjectKey db{"default", "db"};

TEST(ObjectWriter, AppliesWhatGitStatesAndLeavesWhatOthersAdded) {
  ApiServerHarness api;
  json::object wanted = rotation("db");
  wanted["metadata"].as_object()["labels"] = json::object{{"from", "git"}};
  const Result<StoredPtr> first = run(api.io, api.clock, api.server.writer().apply(api.context(), wanted, "git"));
  ASSERT_TRUE(first) << first.error().message;
  const Result<StoredPtr> again = run(api.io, api.clock, api.server.writer().apply(api.context(), wanted, "git"));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->version, (*first)->version);

  ASSERT_EQ(api.patch(item("db"), "merge", R"({"metadata":{"labels":{"mine":"yes"}},"spec":{"suspend":true}})").status, 200);
  wanted["metadata"].as_object().erase("labels");
  wanted["spec"].as_object()["revision"] = "r2";
  const Result<StoredPtr> third = run(api.io, api.clock, api.server.writer().apply(api.context(), wanted, "git"));
  ASSERT_TRUE(third);
  EXPECT_EQ((*third)->body.at("metadata").at("labels"), json::parse(R"({"mine":"yes"})"));
  EXPECT_EQ((*third)->body.at("spec").at("suspend"), true);
  EXPECT_EQ((*third)->body.at("spec").at("revision"), "r2");
}

TEST(ObjectWriter, UpdatesTheStatusByCompareAndSwap) {
  ApiServerHarness api;
  const Result<StoredPtr> made = run(api.io, api.clock, api.server.writer().create(api.context(), rotation("db"), "keyturn"));
  ASSERT_TRUE(made);
  const json::value status{{"observedGeneration", 1}};
  const Result<StoredPtr> updated =
      run(api.io, api.clock, api.server.writer().update_status(api.context(), rotations, db, status, "keyturn", (*made)->version));
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ((*updated)->body.at("status"), status);
  const Result<StoredPtr> stale =
      run(api.io, api.clock, api.server.writer().update_status(api.context(), rotations, db, status, "keyturn", (*made)->version));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Errc::Conflict);
  const Result<StoredPtr> blind =
      run(api.io, api.clock, api.server.writer().update_status(api.context(), rotations, db, status, "keyturn", 0));
  ASSERT_TRUE(blind);
  EXPECT_EQ((*blind)->version, (*updated)->version);
}

TEST(ObjectWriter, SpeaksTheProgramsErrors) {
  ApiServerHarness api;
  ObjectWriter& writer = api.server.writer();
  EXPECT_EQ(run(api.io, api.clock, writer.apply(api.context(), {{"apiVersion", "v1"}, {"kind", "Pod"}}, "git")).error().code,
            Errc::Invalid);
  json::object bad = rotation("db");
  bad["spec"].as_object()["typo"] = 1;
  EXPECT_EQ(run(api.io, api.clock, writer.apply(api.context(), bad, "git")).error().code, Errc::Invalid);
  EXPECT_EQ(run(api.io, api.clock, writer.update_status(api.context(), rotations, db, json::object{}, "keyturn", 0)).error().code,
            Errc::NotFound);
  EXPECT_EQ(run(api.io, api.clock, writer.remove(api.context(), rotations, db, 0)).error().code, Errc::NotFound);
  EXPECT_EQ(run(api.io, api.clock, writer.update_status(api.context(), {"", "events"}, db, json::object{}, "keyturn", 0)).error().code,
            Errc::Invalid);
  ASSERT_TRUE(run(api.io, api.clock, writer.create(api.context(), rotation("db"), "keyturn")));
  EXPECT_EQ(run(api.io, api.clock, writer.create(api.context(), rotation("db"), "keyturn")).error().code, Errc::Conflict);
}

TEST(ObjectWriter, TakesItsFinalizerAwayOnceAndForAll) {
  ApiServerHarness api;
  json::object object = rotation("db");
  object["metadata"].as_object()["finalizers"] = json::array{"keyturn.dev/cleanup"};
  ASSERT_TRUE(run(api.io, api.clock, api.server.writer().create(api.context(), object, "keyturn")));
  ASSERT_TRUE(run(api.io, api.clock, api.server.writer().remove(api.context(), rotations, db, 0)));
  EXPECT_EQ(api.get(item("db")).status, 200);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(run(api.io, api.clock, api.server.writer().remove_finalizer(api.context(), rotations, db, "keyturn.dev/cleanup")));
  EXPECT_EQ(api.get(item("db")).status, 404);
}

}  // namespace
}  // namespace keyturn::embedded
