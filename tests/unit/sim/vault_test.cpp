#include "sim/vault/vault.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seeded_random.h"

namespace keyturn::sim {
namespace {

using std::chrono::seconds;

class VaultTest : public testing::Test {
 protected:
  std::string put(std::string_view name, std::string_view value = "v", bool enabled = true) {
    const auto item =
        vault_.set(name, {.value = Secret::copy_of(value), .content_type = "", .tags = {}, .attributes = {.enabled = enabled}}, now_);
    return item ? item->version->id : item.error().code;
  }
  std::string value_of(std::string_view name, std::string_view version = "") {
    const auto item = vault_.get(name, version, now_);
    return item ? item->version->value.expose([](std::string_view bytes) { return std::string(bytes); })
                : item.error().inner_code + item.error().code;
  }
  void set_enabled(std::string_view name, std::string_view version, bool enabled) {
    ASSERT_TRUE(vault_.patch(name, version, {.enabled = enabled}, now_).has_value());
  }

  Instant now_{std::chrono::days(20'000)};
  SeededRandom random_{1};
  Vault vault_{"main", random_, seconds(5)};
};

TEST_F(VaultTest, AnswersForbiddenWhenTheNewestVersionIsDisabledAndNeverFallsBack) {  // KV-S1
  put("redis", "old");
  const std::string newest = put("redis", "new");
  set_enabled("redis", newest, false);
  const auto refused = vault_.get("redis", "", now_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 403);
  EXPECT_EQ(refused.error().code, "Forbidden");
  EXPECT_EQ(refused.error().inner_code, "SecretDisabled");
  EXPECT_EQ(refused.error().message, "Operation get is not allowed on a disabled secret.");
}

TEST_F(VaultTest, RefusesADisabledVersionByItsIdToo) {  // KV-S1
  const std::string old = put("redis", "old");
  put("redis", "new");
  set_enabled("redis", old, false);
  EXPECT_EQ(value_of("redis", old), "SecretDisabledForbidden");
}

TEST_F(VaultTest, ReadsTheNewestWhenOnlyAnOlderVersionIsDisabled) {  // KV-S1
  const std::string old = put("redis", "old");
  put("redis", "new");
  set_enabled("redis", old, false);
  EXPECT_EQ(value_of("redis"), "new");
}

TEST_F(VaultTest, AnswersForbiddenForADeletedSecretWhoseNewestVersionIsDisabled) {  // KV-S1
  const std::string only = put("redis");
  set_enabled("redis", only, false);
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(value_of("redis"), "SecretDisabledForbidden");
}

TEST_F(VaultTest, ListsVersionsByIdAndNotByTime) {  // KV-S2
  std::vector<std::string> in_time;
  for (int i = 0; i < 60; ++i) in_time.push_back(put("redis"));
  std::vector<std::string> listed;
  std::string after;
  do {
    const auto page = vault_.versions("redis", after, Vault::page_items_max, now_);
    ASSERT_TRUE(page.has_value());
    EXPECT_LE(page->items.size(), 25U);
    for (const Vault::Item& item : page->items) listed.push_back(item.version->id);
    after = page->next;
  } while (!after.empty());
  EXPECT_TRUE(std::ranges::is_sorted(listed));
  EXPECT_NE(listed, in_time);
  EXPECT_EQ(listed.size(), 60U);
}

TEST_F(VaultTest, ListsNamesInOrderWithTheNewestVersionAndWithoutDeletedOnes) {  // KV-S2, KV-S8
  put("b");
  put("A");
  const std::string newest = put("b");
  put("gone");
  ASSERT_TRUE(vault_.remove("gone", now_).has_value());
  const auto first = vault_.list("", 1, now_);
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(*first.items[0].name, "A");
  const auto second = vault_.list(first.next, 1, now_);
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].version->id, newest);
  EXPECT_EQ(second.next, "");
}

TEST_F(VaultTest, CreatesInWholeSecondsSoThatTwoVersionsOfASecondTie) {  // KV-S3
  const std::string one = put("redis");
  now_ += Duration(900);
  const std::string two = put("redis");
  EXPECT_NE(one, two);
  EXPECT_EQ(vault_.get("redis", one, now_)->version->created, vault_.get("redis", two, now_)->version->created);
}

TEST_F(VaultTest, GivesEachVersionAnIdOf32HexDigits) {  // KV-S3
  const std::string id = put("redis");
  EXPECT_EQ(id.size(), 32U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST_F(VaultTest, AddsAVersionForEverySetEvenOfTheSameValue) {  // KV-S4
  put("redis", "same");
  put("redis", "same");
  EXPECT_EQ(vault_.versions("redis", "", 25, now_)->items.size(), 2U);
}

TEST_F(VaultTest, ReplacesTheWholeTagMapAndLeavesAbsentMembersAlone) {
  vault_.set("redis", {.value = Secret::copy_of("v"), .content_type = "text/plain", .tags = {{"a", "1"}}, .attributes = {}}, now_);
  const auto item = vault_.patch("redis", "", {.tags = Tags{{"b", "2"}}}, now_);
  ASSERT_TRUE(item.has_value());
  EXPECT_EQ(item->version->tags, (Tags{{"b", "2"}}));
  EXPECT_EQ(item->version->content_type, "text/plain");
}

TEST_F(VaultTest, ComparesNamesWithoutRegardToCaseAndShowsTheFirstSpelling) {
  put("Redis", "one");
  put("rEDIS", "two");
  EXPECT_EQ(value_of("redis"), "two");
  EXPECT_EQ(*vault_.get("redis", "", now_)->name, "Redis");
}

TEST_F(VaultTest, HidesADeletedSecretAtOnceAndShowsItAsDeletedLater) {  // KV-S8
  put("redis");
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(vault_.get("redis", "", now_).error().code, "SecretNotFound");
  EXPECT_EQ(vault_.deleted("redis", now_).error().status, 404);
  now_ += seconds(5);
  const auto deleted = vault_.deleted("redis", now_);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->scheduled_purge - deleted->deleted, 90 * 24 * 3600);
  EXPECT_EQ(vault_.list_deleted(now_).size(), 1U);
}

TEST_F(VaultTest, RefusesToSetOrPatchADeletedName) {  // KV-S8
  const std::string id = put("redis");
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(vault_.set("redis", {.value = Secret::copy_of("v"), .content_type = "", .tags = {}, .attributes = {}}, now_).error().inner_code,
            "ObjectIsBeingDeleted");
  now_ += seconds(5);
  const auto refused = vault_.patch("redis", id, {.enabled = false}, now_);
  EXPECT_EQ(refused.error().status, 409);
  EXPECT_EQ(refused.error().code, "Conflict");
  EXPECT_EQ(refused.error().inner_code, "ObjectIsDeletedButRecoverable");
}

TEST_F(VaultTest, RecoversAllVersionsAfterAWhile) {  // KV-S8
  put("redis", "old");
  put("redis", "new");
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(vault_.recover("redis", now_).error().status, 409);
  now_ += seconds(5);
  ASSERT_TRUE(vault_.recover("redis", now_).has_value());
  EXPECT_EQ(put("redis"), "Conflict");
  EXPECT_EQ(value_of("redis"), "SecretNotFound");
  now_ += seconds(5);
  EXPECT_EQ(value_of("redis"), "new");
  EXPECT_EQ(vault_.versions("redis", "", 25, now_)->items.size(), 2U);
}

TEST_F(VaultTest, PurgesForGoodAndFreesTheNameAfterAWhile) {  // KV-S8
  put("redis", "old");
  EXPECT_EQ(vault_.purge("redis", now_).error().status, 404);
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(vault_.purge("redis", now_).error().status, 409);
  now_ += seconds(5);
  ASSERT_TRUE(vault_.purge("redis", now_).has_value());
  EXPECT_EQ(vault_.deleted("redis", now_).error().status, 404);
  EXPECT_EQ(put("redis"), "Conflict");
  now_ += seconds(5);
  put("redis", "new");
  EXPECT_EQ(vault_.versions("redis", "", 25, now_)->items.size(), 1U);
}

TEST_F(VaultTest, AnswersNotFoundForANameAVersionAndASecondDeletion) {
  EXPECT_EQ(value_of("absent"), "SecretNotFound");
  put("redis");
  EXPECT_EQ(value_of("redis", "00000000000000000000000000000000"), "SecretNotFound");
  EXPECT_EQ(vault_.patch("absent", "", {}, now_).error().status, 404);
  EXPECT_EQ(vault_.patch("redis", "0", {}, now_).error().status, 404);
  EXPECT_EQ(vault_.versions("absent", "", 25, now_).error().status, 404);
  ASSERT_TRUE(vault_.remove("redis", now_).has_value());
  EXPECT_EQ(vault_.remove("redis", now_).error().status, 409);
  EXPECT_EQ(vault_.remove("absent", now_).error().status, 404);
}

TEST_F(VaultTest, EnforcesItsLimits) {  // KV-S10
  const auto refuse = [&](std::string_view name, Vault::Draft draft) {
    const auto item = vault_.set(name, std::move(draft), now_);
    return item ? std::string("taken") : item.error().code;
  };
  const auto draft = [](std::size_t bytes) {
    return Vault::Draft{.value = Secret::copy_of(std::string(bytes, 'x')), .content_type = "", .tags = {}, .attributes = {}};
  };
  EXPECT_EQ(refuse("under_score", draft(1)), "BadParameter");
  EXPECT_EQ(refuse("", draft(1)), "BadParameter");
  EXPECT_EQ(refuse(std::string(128, 'a'), draft(1)), "BadParameter");
  EXPECT_EQ(refuse(std::string(127, 'a'), draft(1)), "taken");
  EXPECT_EQ(refuse("big", draft(Vault::value_bytes_max + 1)), "BadParameter");
  EXPECT_EQ(refuse("big", draft(Vault::value_bytes_max)), "taken");
  Vault::Draft tagged = draft(1);
  for (int i = 0; i < 16; ++i) tagged.tags[std::to_string(i)] = "t";
  EXPECT_EQ(refuse("tags", std::move(tagged)), "BadParameter");
  Vault::Draft long_tag = draft(1);
  long_tag.tags["t"] = std::string(257, 'x');
  EXPECT_EQ(refuse("tags", std::move(long_tag)), "BadParameter");
  Vault::Draft typed = draft(1);
  typed.content_type = std::string(256, 'x');
  EXPECT_EQ(refuse("typed", std::move(typed)), "BadParameter");
}

TEST_F(VaultTest, EnforcesLimitsOnAPatchWithoutApplyingHalfOfIt) {  // KV-S10
  vault_.set("redis", {.value = Secret::copy_of("v"), .content_type = "old", .tags = {{"a", "1"}}, .attributes = {}}, now_);
  Tags many;
  for (int i = 0; i < 16; ++i) many[std::to_string(i)] = "t";
  EXPECT_EQ(vault_.patch("redis", "", {.content_type = "new", .tags = many}, now_).error().code, "BadParameter");
  EXPECT_EQ(vault_.patch("redis", "", {.content_type = std::string(256, 'x'), .tags = Tags{}}, now_).error().code, "BadParameter");
  const auto item = vault_.get("redis", "", now_);
  EXPECT_EQ(item->version->content_type, "old");
  EXPECT_EQ(item->version->tags, (Tags{{"a", "1"}}));
}

}  // namespace
}  // namespace keyturn::sim
