#include "reconcilers/azure/container_app_mark.h"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

ConvergenceMark some_mark() {
  ConvergenceMark mark;
  mark.version = VersionId{"0123456789abcdef0123456789abcdef"};
  mark.references = "00112233aabbccdd";
  mark.errors = "ffeeddccbbaa9988";
  mark.stage = ConvergenceMark::Stage::Synced;
  mark.at = *parse_rfc3339("2026-03-01T10:00:00Z");
  return mark;
}

TEST(ConvergenceMark, IsAShortPrintableText) {
  EXPECT_EQ(format_mark(some_mark()),
            "v1;version=0123456789abcdef0123456789abcdef;reload=restart;refs=00112233aabbccdd;errors=ffeeddccbbaa9988;synced=2026-03-01T10:"
            "00:00Z");
}

TEST(ConvergenceMark, ReadsBackEveryStage) {
  ConvergenceMark restarted = some_mark();
  restarted.restarted = restarted.at + Duration{5'000};
  restarted.revisions = {"orders--a1", "orders,odd;name"};
  ConvergenceMark waiting = some_mark();
  waiting.stage = ConvergenceMark::Stage::Waiting;
  waiting.reload = api::ReloadMode::Poll;
  ConvergenceMark refused = some_mark();
  refused.stage = ConvergenceMark::Stage::Refused;
  for (const ConvergenceMark& mark : {some_mark(), restarted, waiting, refused})
    EXPECT_EQ(parse_mark(format_mark(mark)), mark) << format_mark(mark);
}

TEST(ConvergenceMark, KeepsTheAddressOfAnOperationOfAnyStyleUpToFourKilobytes) {
  for (const auto style : {ArmOperation::Style::AsyncOperation, ArmOperation::Style::Location, ArmOperation::Style::ProvisioningState}) {
    ConvergenceMark mark = some_mark();
    mark.stage = ConvergenceMark::Stage::Writing;
    mark.operation = ArmOperation{style, *net::Url::parse("https://management.azure.com/op?a=1;2,3%20&t=" + std::string(4'000, 'a'))};
    EXPECT_EQ(parse_mark(format_mark(mark)), mark);
  }
}

TEST(ConvergenceMark, ReadsNothingButWhatItWrites) {
  const std::string good = format_mark(some_mark());
  const std::string bad[] = {"",
                             "v1",
                             "v2" + good.substr(2),
                             good + ";",
                             good + ";more=1",
                             good + " ",
                             " " + good,
                             good + ";restarted=2026-03-01T10:00:05Z",
                             good + ";restarted=2026-03-01T10:00:05Z;revisions=",
                             good + ";restarted=never;revisions=a",
                             "v1;version=;reload=restart;refs=a;errors=b;synced=2026-03-01T10:00:00Z",
                             "v1;version=a;reload=often;refs=a;errors=b;synced=2026-03-01T10:00:00Z",
                             "v1;reload=restart;version=a;refs=a;errors=b;synced=2026-03-01T10:00:00Z",
                             "v1;version=a;reload=restart;refs=a;errors=b;synced=2026-03-01 10:00",
                             "v1;version=a;reload=restart;refs=a;errors=b;synced=2026-03-01T10:00:00.5Z",
                             "v1;version=a;reload=restart;refs=a;errors=b;writing=2026-03-01T10:00:00Z",
                             "v1;version=a;reload=restart;refs=a;errors=b;writing=2026-03-01T10:00:00Z;op=Lnot-a-url",
                             "v1;version=a;reload=restart;refs=a;errors=b;writing=2026-03-01T10:00:00Z;op=Xhttps%3A%2F%2Fa",
                             std::string(mark_bytes_max + 1, 'v')};
  for (const std::string& text : bad) EXPECT_FALSE(parse_mark(text)) << text;
}

}  // namespace
}  // namespace keyturn
