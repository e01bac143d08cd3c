#include "reconcilers/azure/permissions.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace keyturn {
namespace {

constexpr std::string_view restart = "Microsoft.App/containerApps/revisions/restart/action";

bool allows(const std::string& roles, std::string_view action = restart) {
  return Permissions::read(boost::json::parse(R"({"value":[)" + roles + "]}")).value().allow(action);
}

TEST(Permissions, AllowWhatARoleNamesWithoutRegardToCase) {
  EXPECT_TRUE(allows(R"({"actions":["microsoft.app/CONTAINERAPPS/revisions/restart/action"]})"));
  EXPECT_FALSE(allows(R"({"actions":["Microsoft.App/containerApps/revisions/restart"]})"));
  EXPECT_FALSE(allows(R"({"actions":[]})"));
}

TEST(Permissions, StarsStandForAnyText) {
  for (const char* pattern :
       {"*", "*/action", "Microsoft.App/*", "Microsoft.App/containerApps/*/action", "*/restart/*", "Microsoft.App/**"})
    EXPECT_TRUE(allows(std::string(R"({"actions":[")") + pattern + R"("]})")) << pattern;
  for (const char* pattern : {"*/read", "Microsoft.Web/*", "*/restart", "Microsoft.App/containerApps/*/delete/*"})
    EXPECT_FALSE(allows(std::string(R"({"actions":[")") + pattern + R"("]})")) << pattern;
}

TEST(Permissions, WhatOneRoleTakesAwayAnotherMayGive) {
  const std::string without = R"({"actions":["*"],"notActions":["*/restart/action"]})";
  EXPECT_FALSE(allows(without));
  EXPECT_TRUE(allows(without, "Microsoft.App/containerApps/write"));
  EXPECT_TRUE(allows(without + R"(,{"actions":["Microsoft.App/*"],"notActions":[]})"));
}

TEST(Permissions, AreNotKnownFromAnythingElse) {
  for (const char* text : {"null", "{}", R"({"value":[]})", R"({"value":7})", R"({"value":[{"actions":["*"]}],"nextLink":"https://x"})"})
    EXPECT_FALSE(Permissions::read(boost::json::parse(text))) << text;
}

}  // namespace
}  // namespace keyturn
