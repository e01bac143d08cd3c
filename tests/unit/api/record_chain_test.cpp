// Every way to tamper with a chain of twenty records, at every place of it.
#include "api/record_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <random>

#include "api/canonical_json.h"
#include "api/codec.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

constexpr int length = 20;
const ObjectKey rotation{"erp-dev", "erp-redis"};

// A run with something in every part of it, that brings in the credential of its generation.
RotationRun a_finished_run(int generation) {
  const Instant began{std::chrono::days(20'000 + generation)};
  RotationRun run;
  run.meta.name = "dev-cache-3f2a-" + std::to_string(generation);
  run.meta.ns = "keyturn-system";
  run.spec.rotation = rotation;
  run.spec.rotation_uid = Uid{"0d9f3c1e"};
  run.spec.identity = "dev/cache:erp";
  run.spec.generation = generation;
  run.spec.credential = {"2026-q4", generation};
  run.spec.old_credential = {"2026-q4", generation - 1};
  run.spec.incident = "INC-4711";
  run.spec.actor = "ann";
  run.spec.pending_principal = "erp_b";
  run.spec.old_principal = "erp_a";
  run.spec.frozen.environment = "dev";
  run.spec.frozen.revision = "2026-q4";
  run.spec.frozen.secret = {{"main"}, "RedisConfiguration--Password", {}};
  run.spec.frozen.dependents = {{"cache", {"erp"}}};
  run.spec.frozen.consumers = {{.name = "apps-portal"}};
  run.spec.plan_hash = "sha256:" + std::string(64, 'a');
  run.status.owner_epoch = EpochId{"7b0f5d4e"};
  run.status.phase = generation % 5 == 0 ? Phase::RolledBack : Phase::Succeeded;
  run.status.staged_version = VersionId{"5e1d" + std::to_string(generation)};
  run.status.old_version = VersionId{"01d0" + std::to_string(generation)};
  run.status.published_version = VersionId{"9b11" + std::to_string(generation)};
  run.status.targets = {{.kind = TargetKind::Vault, .name = "main", .state = "Done", .version_seen = run.status.published_version},
                        {.kind = TargetKind::Consumer, .name = "apps-portal", .state = "Done", .mark = "synced", .changed_at = began}};
  run.status.evidence = {{began, "Switching", "cache", "fresh login accepted"}, {began, "Publishing", "main", "Publish 2026-q4"}};
  run.status.started_at = began;
  run.status.phase_since = began + std::chrono::hours(1);
  run.status.finished_at = began + std::chrono::hours(1);
  run.status.failure = run.status.phase == Phase::RolledBack ? "ConsumerUnhealthy" : "";
  return run;
}

using Runs = std::vector<RotationRun>;
using Objects = std::vector<json::object>;

// Seals each run behind the one before it, from `first` on.
void seal_from(Runs& runs, std::size_t first) {
  for (std::size_t i = first; i < runs.size(); ++i) seal(runs[i], i == 0 ? std::string{} : runs[i - 1].status.record_hash);
}

// Made once: sealing twenty runs takes longer than judging them.
Runs a_chain() {
  static const Runs sealed = [] {
    Runs runs;
    for (int generation = 1; generation <= length; ++generation) runs.push_back(a_finished_run(generation));
    seal_from(runs, 0);
    return runs;
  }();
  return sealed;
}

Objects stored(const Runs& runs) {
  Objects objects;
  for (const RotationRun& run : runs) objects.push_back(encode(run));
  return objects;
}

RecordHead head_of(const Runs& runs) { return {static_cast<std::int64_t>(runs.size()), runs.back().status.record_hash}; }

std::vector<Record> records_of(const Objects& objects) {
  std::vector<Record> records;
  for (const json::object& object : objects) records.push_back(record_of(object));
  return records;
}
Verification verified(const Objects& objects, const Anchors& anchors = {}) { return verify(records_of(objects), anchors); }
Verification verified(const Runs& runs, const Anchors& anchors = {}) { return verified(stored(runs), anchors); }

std::string text_of(const Verification& verification) {
  std::string text;
  for (const Finding& finding : verification.findings)
    text += std::string(name_of(finding.kind)) + " " + finding.run + ": " + finding.message + "\n";
  return text;
}

// Exactly one finding, of this kind, at this run.
void expect_one(const Verification& verification, Tampering kind, const std::string& run, const std::string& where) {
  ASSERT_EQ(verification.findings.size(), 1U) << where << "\n" << text_of(verification);
  EXPECT_EQ(verification.findings[0].kind, kind) << where << "\n" << text_of(verification);
  EXPECT_EQ(verification.findings[0].run, run) << where << "\n" << text_of(verification);
}

// Calls `visit` with every value that is no object and no list, as a place that can be changed.
void visit_leaves(json::value& value, const std::string& path, const std::function<void(json::value&, const std::string&)>& visit) {
  if (auto* object = value.if_object()) {
    for (auto& member : *object) visit_leaves(member.value(), path + "." + std::string(member.key()), visit);
  } else if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) visit_leaves((*list)[i], path + "[" + std::to_string(i) + "]", visit);
  } else {
    visit(value, path);
  }
}

json::value changed(const json::value& value) {
  if (value.is_string()) return json::value(std::string(value.get_string()) + "x");
  if (value.is_bool()) return json::value(!value.get_bool());
  return json::value(value.to_number<std::int64_t>() + 1);
}

TEST(RecordChain, OfUntouchedRecordsIsIntactInWhateverOrderTheyCome) {
  const Runs runs = a_chain();
  Objects objects = stored(runs);
  const Anchors anchors{head_of(runs), runs[3].status.record_hash};
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const Verification verification = verified(objects, anchors);
    EXPECT_TRUE(verification.intact()) << text_of(verification);
    EXPECT_EQ(verification.records, length);
    EXPECT_EQ(verification.head, runs.back().status.record_hash);
    std::shuffle(objects.begin(), objects.end(), random);
  }
}

TEST(RecordChain, OfNothingIsIntactUnlessSomethingIsKnownOfIt) {
  EXPECT_TRUE(verified(Runs{}).intact());
  EXPECT_EQ(verified(Runs{}).head, "");
  expect_one(verified(Runs{}, {head_of(a_chain()), {}}), Tampering::Truncated, "", "all of them removed");
}

TEST(RecordChain, NamesTheEditedRecordForEveryFieldAtEveryPlace) {
  const Objects objects = stored(a_chain());
  const std::vector<Record> untouched = records_of(objects);
  std::size_t edits = 0;
  for (std::size_t place = 0; place < objects.size(); ++place) {
    json::object tampered = objects[place];
    for (const char* part : {"spec", "status"}) {
      visit_leaves(tampered.at(part), part, [&](json::value& leaf, const std::string& path) {
        const json::value before = leaf;
        leaf = changed(leaf);
        std::vector<Record> records = untouched;
        records[place] = record_of(tampered);
        leaf = before;
        expect_one(verify(std::move(records), {}), Tampering::Edited, untouched[place].link.run, path);
        ++edits;
      });
    }
  }
  EXPECT_GT(edits, 20U * 40U);
}

TEST(RecordChain, NamesTheRecordThatGotOrLostAFieldThatThisBuildDoesNotKnow) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    Objects objects = stored(runs);
    objects[place]["status"].as_object()["addedLater"] = "x";
    expect_one(verified(objects), Tampering::Edited, runs[place].meta.name, "added");
    objects = stored(runs);
    objects[place]["status"].as_object().erase("evidence");
    expect_one(verified(objects), Tampering::Edited, runs[place].meta.name, "removed");
  }
}

TEST(RecordChain, OfALaterVersionWithFieldsOfItsOwnIsIntact) {
  Objects objects = stored(a_chain());
  json::object& last = objects.back();
  last["spec"].as_object()["addedLater"] = json::object{{"z", 1}, {"a", json::array{true, nullptr, 0.5}}};
  last["status"].as_object()["phase"] = "PhaseOfALaterVersion";
  last["status"].as_object()["recordHash"] = record_digest(last);
  EXPECT_TRUE(verified(objects).intact()) << text_of(verified(objects));
  EXPECT_EQ(verified(objects).records, length);
}

TEST(RecordChain, DoesNotCareForMetadataThatChanges) {
  Objects objects = stored(a_chain());
  for (json::object& object : objects) {
    object["metadata"].as_object()["resourceVersion"] = "999";
    object["metadata"].as_object()["managedFields"] = json::array{1};
    object["metadata"].as_object()["labels"] = json::object{{"a", "b"}};
  }
  EXPECT_TRUE(verified(objects).intact());
}

TEST(RecordChain, FindsARecordThatWasWrittenAnewWithAHashToMatch) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    runs[place].spec.actor = "somebody else";
    seal(runs[place], runs[place].status.previous_hash);
    if (place + 1 < length) {
      expect_one(verified(runs), Tampering::Edited, runs[place].meta.name, "place " + std::to_string(place));
    } else {
      expect_one(verified(runs, anchors), Tampering::Truncated, "", "the last one needs an anchor");
    }
  }
}

TEST(RecordChain, FindsAChainThatWasWrittenAnewFromAnyPlaceOnByItsAnchor) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    const Anchors noted{head_of(runs), {}};
    const Anchors by_hand{{}, runs[place].status.record_hash};
    runs[place].spec.actor = "somebody else";
    seal_from(runs, place);
    expect_one(verified(runs, noted), Tampering::Truncated, "", "by the status");
    expect_one(verified(runs, by_hand), Tampering::Truncated, "", "by hand");
  }
}

TEST(RecordChain, FindsARemovedRecordAtEveryPlace) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(place));
    if (place + 1 < length) {
      expect_one(verified(runs), Tampering::Removed, runs[place].meta.name, "without an anchor");
      expect_one(verified(runs, anchors), Tampering::Removed, runs[place].meta.name, "with an anchor");
    } else {
      expect_one(verified(runs, anchors), Tampering::Truncated, "", "the last one");
    }
  }
}

TEST(RecordChain, FindsEveryGapOfSeveral) {
  Runs runs = a_chain();
  for (const std::ptrdiff_t place : {17, 10, 9, 3, 0}) runs.erase(runs.begin() + place);
  const Verification verification = verified(runs);
  EXPECT_EQ(verification.findings.size(), 4U) << text_of(verification);
  for (const Finding& finding : verification.findings) EXPECT_EQ(finding.kind, Tampering::Removed);
}

TEST(RecordChain, FindsATruncatedEndByAnAnchorOnly) {
  for (std::size_t kept = 0; kept < length; ++kept) {
    Runs runs = a_chain();
    const Anchors noted{head_of(runs), {}};
    const Anchors by_hand{{}, runs.back().status.record_hash};
    runs.resize(kept);
    EXPECT_TRUE(verified(runs).intact()) << "a chain alone cannot show this";
    expect_one(verified(runs, noted), Tampering::Truncated, "", "by the status");
    expect_one(verified(runs, by_hand), Tampering::Truncated, "", "by hand");
    EXPECT_NE(text_of(verified(runs, noted)).find("20 were sealed, " + std::to_string(kept) + " are here"), std::string::npos);
  }
}

TEST(RecordChain, FindsATruncatedEndOnWhichAnotherRecordWasPut) {
  for (std::size_t kept = 1; kept < length; ++kept) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    runs.resize(kept);
    runs.push_back(a_finished_run(static_cast<int>(kept) + 1));
    runs.back().spec.actor = "somebody else";
    seal(runs.back(), runs[kept - 1].status.record_hash);
    expect_one(verified(runs, anchors), Tampering::Truncated, "", std::to_string(kept));
  }
}

TEST(RecordChain, FindsASecondRecordBehindTheSameOneAtEveryPlace) {
  for (std::size_t place = 0; place + 1 < length; ++place) {
    Runs runs = a_chain();
    RotationRun forged = a_finished_run(static_cast<int>(place) + 2);
    forged.meta.name = "forged";
    seal(forged, runs[place].status.record_hash);
    runs.push_back(forged);
    const Verification verification = verified(runs);
    ASSERT_EQ(verification.findings.size(), 1U) << text_of(verification);
    EXPECT_EQ(verification.findings[0].kind, Tampering::Forked);
    if (place + 2 < length) EXPECT_EQ(verification.findings[0].run, "forged");
  }
}

TEST(RecordChain, FindsABranchOfSeveralRecords) {
  Runs runs = a_chain();
  std::string previous = runs[4].status.record_hash;
  for (int number = 1; number <= 3; ++number) {
    RotationRun forged = a_finished_run(number + 5);
    forged.meta.name = "forged-" + std::to_string(number);
    seal(forged, previous);
    previous = forged.status.record_hash;
    runs.push_back(forged);
  }
  expect_one(verified(runs), Tampering::Forked, "forged-1", "the place where it leaves the chain");
}

TEST(RecordChain, FindsARecordThatWasPutInAtEveryPlace) {
  const Runs original = a_chain();
  for (std::size_t place = 0; place < length; ++place) {
    RotationRun forged = original[place];
    forged.meta.name = "forged";
    Runs runs = original;
    runs.push_back(forged);
    expect_one(verified(runs), Tampering::Inserted, "forged", "a copy under another name");

    runs = original;
    seal(forged, "");
    runs.push_back(forged);
    expect_one(verified(runs), Tampering::Inserted, "forged", "a second beginning");

    runs = original;
    seal(forged, "sha256:" + std::string(64, '0'));
    runs.push_back(forged);
    const Verification dangling = verified(runs);
    ASSERT_EQ(dangling.findings.size(), 1U) << text_of(dangling);
    EXPECT_EQ(dangling.findings[0].run, "forged");
    EXPECT_EQ(dangling.findings[0].kind, Tampering::Inserted);
  }
}

TEST(RecordChain, FindsARecordThatWasPutBetweenTwoOthers) {
  for (std::size_t place = 0; place + 2 < length; ++place) {
    Runs runs = a_chain();
    RotationRun forged = a_finished_run(length + 1);
    forged.status.finished_at = runs[place].status.finished_at;
    seal(forged, runs[place].status.record_hash);
    seal(runs[place + 1], forged.status.record_hash);  // the next one is bent to follow it
    runs.push_back(forged);
    EXPECT_FALSE(verified(runs).intact());
  }
}

TEST(RecordChain, FindsAnyTwoRecordsThatChangedPlaces) {
  const Runs original = a_chain();
  const std::vector<Record> untouched = records_of(stored(original));
  for (std::size_t a = 0; a < length; ++a) {
    for (std::size_t b = a + 1; b < length; ++b) {
      Runs swapped = {original[a], original[b]};
      std::swap(swapped[0].meta.name, swapped[1].meta.name);
      std::vector<Record> records = untouched;
      records[a] = record_of(encode(swapped[0]));
      records[b] = record_of(encode(swapped[1]));
      const Verification verification = verify(std::move(records), {});
      ASSERT_EQ(verification.findings.size(), 2U) << text_of(verification);
      for (const Finding& finding : verification.findings) EXPECT_EQ(finding.kind, Tampering::Reordered);
      EXPECT_NE(text_of(verification).find("it holds the record of " + original[a].meta.name), std::string::npos);
    }
  }
}

TEST(RecordChain, FindsNeighboursThatChangedPlacesInAChainThatWasWrittenAnew) {
  for (std::size_t place = 0; place + 1 < length; ++place) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    std::swap(runs[place], runs[place + 1]);
    seal_from(runs, place);
    expect_one(verified(runs), Tampering::Reordered, runs[place + 1].meta.name, "by the generation");
    EXPECT_EQ(verified(runs, anchors).findings.size(), 2U) << "and the noted head is gone";
  }
}

TEST(RecordChain, FindsAFinishedRunWithoutAHashAtEveryPlace) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    runs[place].status.record_hash.clear();
    expect_one(verified(runs, anchors), Tampering::Unsealed, runs[place].meta.name, "place " + std::to_string(place));
  }
}

TEST(RecordChain, IsNotFooledByARecordThatClaimsToBeUnfinished) {
  for (std::size_t place = 0; place < length; ++place) {
    Runs runs = a_chain();
    const Anchors anchors{head_of(runs), {}};
    runs[place].status.phase = Phase::Rolling;
    expect_one(verified(runs, anchors), Tampering::Edited, runs[place].meta.name, "with its hash");
    runs[place].status.record_hash.clear();
    EXPECT_FALSE(verified(runs, anchors).intact()) << "without its hash";
  }
}

TEST(RecordChain, FindsARecordThatCannotBeReadAtEveryPlace) {
  for (std::size_t place = 0; place < length; ++place) {
    const Runs runs = a_chain();
    Objects objects = stored(runs);
    objects[place]["spec"].as_object()["generation"] = "many";
    const Verification verification = verified(objects);
    ASSERT_FALSE(verification.intact());
    EXPECT_TRUE(std::any_of(verification.findings.begin(), verification.findings.end(), [&](const Finding& finding) {
      return finding.run == runs[place].meta.name && finding.kind == Tampering::Edited;
    })) << text_of(verification);
  }
}

TEST(RecordChain, PassesOverTheRunUnderWay) {
  Runs runs = a_chain();
  RotationRun under_way = a_finished_run(length + 1);
  under_way.status.phase = Phase::Rolling;
  under_way.status.finished_at.reset();
  runs.push_back(under_way);
  const Verification verification = verified(runs, {head_of(a_chain()), {}});
  EXPECT_TRUE(verification.intact()) << text_of(verification);
  EXPECT_EQ(verification.records, length);
}

TEST(RecordChain, FollowsTheLinksAndNotTheClock) {
  Runs runs = a_chain();
  for (std::size_t i = 10; i < length; ++i) *runs[i].status.finished_at -= std::chrono::hours(24 * 400);
  seal_from(runs, 0);
  const Verification verification = verified(runs, {head_of(runs), {}});
  EXPECT_TRUE(verification.intact()) << text_of(verification);
  EXPECT_EQ(verification.head, runs.back().status.record_hash);
  EXPECT_EQ(last_sealed(runs), runs.back().status.record_hash);
}

TEST(RecordChain, GoesOnWhereTheIdentityChangesAndGenerationsBeginAnew) {
  Runs runs = a_chain();
  for (std::size_t i = 10; i < length; ++i) {
    runs[i].spec.identity = "dev/cache:erp:erp_b";
    runs[i].spec.generation = static_cast<std::int64_t>(i) - 9;
  }
  seal_from(runs, 0);
  EXPECT_TRUE(verified(runs).intact()) << text_of(verified(runs));
}

TEST(RecordChain, IsNotTrappedInAForgedRing) {
  Objects objects = stored(a_chain());
  for (std::size_t i = 0; i < length; ++i)
    objects[i]["status"].as_object()["previousHash"] = objects[(i + 1) % length].at("status").at("recordHash");
  EXPECT_FALSE(verified(objects).intact());
}

TEST(Seal, NamesTheRecordBeforeItAndCoversThatName) {
  RotationRun run = a_finished_run(2);
  seal(run, "sha256:before");
  EXPECT_EQ(run.status.previous_hash, "sha256:before");
  const std::string first = run.status.record_hash;
  EXPECT_EQ(first, record_digest(encode(run)));
  seal(run, "sha256:other");
  EXPECT_NE(run.status.record_hash, first);
}

TEST(Seal, SurvivesTheWayThroughTheStore) {
  const Runs runs = a_chain();
  for (const RotationRun& run : runs) {
    const auto read = decode_rotation_run(json::parse(json::serialize(encode(run))).as_object());
    ASSERT_TRUE(read);
    EXPECT_EQ(record_digest(encode(*read)), run.status.record_hash);
  }
}

TEST(LastSealed, IsTheOneThatNobodyFollows) {
  Runs runs = a_chain();
  EXPECT_EQ(last_sealed({}), "");
  RotationRun under_way = a_finished_run(length + 1);
  under_way.status.phase = Phase::Rolling;
  Runs with_one_under_way = runs;
  with_one_under_way.push_back(under_way);
  EXPECT_EQ(last_sealed(with_one_under_way), runs.back().status.record_hash);
  std::reverse(runs.begin(), runs.end());
  EXPECT_EQ(last_sealed(runs), runs.front().status.record_hash);
}

TEST(HeadAfter, CountsAlongTheChain) {
  const Runs runs = a_chain();
  EXPECT_EQ(head_after(std::nullopt, {}), std::nullopt);
  EXPECT_EQ(head_after(std::nullopt, runs), (RecordHead{length, runs.back().status.record_hash}));
  for (std::size_t known = 1; known <= length; ++known) {
    const RecordHead noted{static_cast<std::int64_t>(known), runs[known - 1].status.record_hash};
    EXPECT_EQ(head_after(noted, runs), (RecordHead{length, runs.back().status.record_hash})) << known;
  }
}

TEST(HeadAfter, StaysWhereTheNotedRecordIsGone) {
  Runs runs = a_chain();
  const RecordHead noted = head_of(runs);
  runs.resize(12);
  EXPECT_EQ(head_after(noted, runs), noted);
  runs.push_back(a_finished_run(13));
  seal(runs.back(), runs[11].status.record_hash);
  EXPECT_EQ(head_after(noted, runs), noted) << "a new record does not paper over it";
  EXPECT_EQ(head_after(noted, {}), noted);
}

TEST(CanonicalRecord, IsWhatAnybodyCanCompute) {
  // From: jq -cjS '{name: .metadata.name, spec, status: (.status | del(.recordHash))}' run.json | sha256sum
  const json::object run = json::parse(R"({
    "kind": "RotationRun", "metadata": {"uid": "1", "name": "erp-1"},
    "spec": {"rotationRef": {"namespace": "erp-dev", "name": "redis"}, "b": [1, -2, true, null], "a": "q\"\\\n\té\u0001/"},
    "status": {"recordHash": "sha256:x", "phase": "Succeeded", "empty": {}, "none": []}})")
                               .as_object();
  EXPECT_EQ(canonical_record(run),
            R"({"name":"erp-1","spec":{"a":"q\"\\\n\té\u0001/","b":[1,-2,true,null],"rotationRef":{"name":"redis","namespace":"erp-dev"}},)"
            R"("status":{"empty":{},"none":[],"phase":"Succeeded"}})");
  EXPECT_EQ(record_digest(run), "sha256:88712ec21cb04e63cf10ce929c3bf86a82cd66b978ab177e62ca37429daa9c06");
}

std::string canonical(const json::value& value) {
  CanonicalText text;
  text.add(value);
  return std::move(text).take();
}

TEST(CanonicalText, EscapesWhatItMustInOneWay) {
  EXPECT_EQ(canonical(json::value(std::string("\b\f\n\r\t\x1f\x7f\"\\", 9))), "\"\\b\\f\\n\\r\\t\\u001f\x7f\\\"\\\\\"");
  EXPECT_EQ(canonical(json::parse(R"({"z": 18446744073709551615, "a": -9223372036854775808, "m": false, "f": 0.5})")),
            R"({"a":-9223372036854775808,"f":5E-1,"m":false,"z":18446744073709551615})");
}

TEST(CanonicalText, OfEveryByteAtEveryPlaceIsReadBackAsItWas) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t place = 0; place < 18; ++place) {
      std::string text(18, 'a');
      text[place] = static_cast<char>(byte);
      CanonicalText out;
      out.add_string(text);
      const std::string written = std::move(out).take();
      const bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
      EXPECT_EQ(written.size() > text.size() + 2, escaped) << byte;
      if (byte < 0x80) {
        EXPECT_EQ(json::parse(written).as_string(), text) << byte;
      }
    }
  }
}

TEST(CanonicalText, SortsObjectsOfAnySizeAndGrows) {
  json::object large;
  std::string expected = "{";
  for (int i = 999; i >= 100; --i) large["key" + std::to_string(i)] = std::string(30, 'x');
  for (int i = 100; i <= 999; ++i)
    expected += (i > 100 ? "," : "") + std::string("\"key") + std::to_string(i) + "\":\"" + std::string(30, 'x') + "\"";
  EXPECT_EQ(canonical(large), expected + "}");
}

}  // namespace
}  // namespace keyturn::api
