#include "base/log.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <regex>

namespace keyturn::log {
namespace {

using namespace std::chrono_literals;

class Logs : public testing::Test {
 protected:
  ~Logs() override { configure(Level::Info, Format::Text); }

  template <class Act>
  static std::string captured(Act act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Logs, AreLinesOfText) {
  configure(Level::Info, Format::Text);
  const std::string line = captured([] { info("run finished", {{"rotation", ObjectKey{"erp-dev", "erp-redis"}}, {"took", 90s}}); });
  const std::regex shape(R"(info \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z run finished rotation=erp-dev/erp-redis took=1m30s\n)");
  EXPECT_TRUE(std::regex_match(line, shape)) << line;
}

TEST_F(Logs, AreLinesOfJson) {
  configure(Level::Debug, Format::Json);
  const std::string line = captured([] { warn("slow", {{"count", 3}, {"who", "a \"b\"\n"}, {"yes", true}}); });
  const auto parsed = boost::json::parse(line).as_object();
  EXPECT_EQ(parsed.at("level").as_string(), "warning");
  EXPECT_EQ(parsed.at("message").as_string(), "slow");
  EXPECT_EQ(parsed.at("count").as_string(), "3");
  EXPECT_EQ(parsed.at("who").as_string(), "a \"b\"\n");
  EXPECT_EQ(parsed.at("yes").as_string(), "true");
  EXPECT_TRUE(parsed.at("time").as_string().ends_with("Z"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(Logs, LeaveOutWhatIsBelowTheLevel) {
  configure(Level::Warn, Format::Text);
  const std::string lines = captured([] {
    debug("one");
    info("two");
    warn("three");
    error("four");
  });
  EXPECT_EQ(lines.find("one"), std::string::npos);
  EXPECT_EQ(lines.find("two"), std::string::npos);
  EXPECT_NE(lines.find("three"), std::string::npos);
  EXPECT_NE(lines.find("four"), std::string::npos);
}

TEST_F(Logs, QuoteValuesThatCouldBeMistaken) {
  const std::string line = captured([] { info("m", {{"a", "x y"}, {"b", "k=v"}, {"c", ""}, {"d", "q\"q"}, {"e", "plain-1.2/3"}}); });
  EXPECT_NE(line.find(R"( a="x y" b="k=v" c="" d="q\"q" e=plain-1.2/3)"), std::string::npos) << line;
}

// A value must not be able to begin a line of its own or to move a terminal's cursor.
TEST_F(Logs, EscapeControlCharacters) {
  const std::string line = captured([] { info("m", {{"a", "x\nerror forged\r\t\x1b[2J\x7f\xC2\x9B"}}); });
  EXPECT_NE(line.find(R"(a="x\nerror forged\r\t\u001b[2J\u007f\u009b")"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(Logs, ReplaceWhatIsNotUtf8) {
  configure(Level::Info, Format::Json);
  const std::string bad[] = {"\xff", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE2\x82"};
  for (const std::string& text : bad) {
    const std::string line = captured([&] { info("m", {{"a", text}}); });
    const auto value = boost::json::parse(line).at("a").as_string();
    EXPECT_NE(value.find("\xEF\xBF\xBD"), boost::json::string::npos) << line;
  }
  const std::string line = captured([] { info("m", {{"a", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91"}}); });
  EXPECT_EQ(boost::json::parse(line).at("a").as_string(), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91");
}

TEST_F(Logs, CutWhatIsTooLong) {
  const std::string line = captured([] { info("m", {{"a", std::string(100'000, 'x')}}); });
  EXPECT_LT(line.size(), 5'000U);
  EXPECT_NE(line.find("xxx..."), std::string::npos);
}

TEST_F(Logs, RenderEveryKindOfField) {
  const std::string line = captured([] {
    info("m", {{"i64", std::int64_t{-5}},
               {"size", std::size_t{7}},
               {"no", false},
               {"text", std::string("t")},
               {"view", std::string_view("v")},
               {"error", Error{Errc::Denied, "no right"}}});
  });
  EXPECT_NE(line.find(R"(i64=-5 size=7 no=false text=t view=v error="Denied: no right")"), std::string::npos) << line;
}

TEST_F(Logs, TakeBracesAsText) {
  const std::string line = captured([] { info("100 %d {} {0}", {{"a", "{}%s"}}); });
  EXPECT_NE(line.find("100 %d {} {0} a={}%s"), std::string::npos) << line;
}

}  // namespace
}  // namespace keyturn::log
