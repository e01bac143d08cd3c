// Golden tests: what people see, byte by byte.
#include "cli/printer.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/api_client.h"

namespace keyturn {
namespace {

// 2026-11-22T12:00:00Z
constexpr Instant noon{Duration(1'795'348'800'000)};

template <class Message>
Message message(const std::string& json) {
  Message read;
  if (!from_json(json, read)) throw std::runtime_error("the test's JSON does not fit its message");
  return read;
}

v1alpha1::Rotation a_rotation() {
  return message<v1alpha1::Rotation>(R"({
    "namespace": "erp-dev", "name": "erp-redis", "environment": "dev", "secret": "RedisConfiguration--Password",
    "wantedRevision": "2026-q4", "creationTime": "2026-10-13T12:00:00Z", "nextRotationTime": "2027-02-19T12:00:00Z",
    "current": {"name": "2026-q4.1", "activatedAt": "2026-11-22T10:00:00Z", "vaultVersion": "6b1f"},
    "conditions": [{"type": "Ready", "status": "True", "reason": "CurrentVerified", "message": "accepted everywhere",
                    "lastTransitionTime": "2026-11-22T10:00:00Z"}],
    "consumers": [{"name": "apps-portal", "using": "2026-q4.1", "state": "Verified", "evidence": "2 of 2 replicas are new"},
                  {"name": "hr", "state": "Pending"}]})");
}

std::string table_of(const std::vector<v1alpha1::Rotation>& rotations, Columns columns) {
  Table table = rotation_table(columns);
  for (const v1alpha1::Rotation& rotation : rotations) table.add(rotation_cells(rotation, columns, noon));
  std::ostringstream out;
  table.print(out);
  return out.str();
}

TEST(Printer, ATableOfRotations) {
  v1alpha1::Rotation bare;
  bare.set_name("new");
  EXPECT_EQ(table_of({a_rotation(), bare}, {}),
            "NAME        READY     REASON            WANTED    CURRENT     ROTATED    NEXT     AGE\n"
            "erp-redis   True      CurrentVerified   2026-q4   2026-q4.1   120m ago   in 89d   40d\n"
            "new         Unknown   <none>            <none>    <none>      <none>     <none>   <none>\n");
}

TEST(Printer, AWideTableOfAllNamespaces) {
  EXPECT_EQ(
      table_of({a_rotation()}, {.ns = true, .wide = true}),
      "NAMESPACE   NAME        READY   REASON            WANTED    CURRENT     ROTATED    NEXT     AGE   ENVIRONMENT   SECRET            "
      "             SUSPENDED   MESSAGE\n"
      "erp-dev     erp-redis   True    CurrentVerified   2026-q4   2026-q4.1   120m ago   in 89d   40d   dev           "
      "RedisConfiguration--Password   false       accepted everywhere\n");
}

TEST(Printer, OneRotation) {
  std::ostringstream out;
  print_rotation(out, a_rotation(), noon);
  EXPECT_EQ(out.str(),
            "Name:         erp-dev/erp-redis\n"
            "Environment:  dev\n"
            "Secret:       RedisConfiguration--Password (RedisConfiguration:Password)\n"
            "Wanted:       2026-q4\n"
            "Current:      2026-q4.1, in use since 2026-11-22T10:00:00Z (120m ago), vault version 6b1f\n"
            "Next:         2027-02-19T12:00:00Z (in 89d)\n"
            "Consumers:\n"
            "  NAME          USING       STATE      EVIDENCE\n"
            "  apps-portal   2026-q4.1   Verified   2 of 2 replicas are new\n"
            "  hr            <none>      Pending    <none>\n"
            "Conditions:\n"
            "  TYPE    STATUS   SINCE      REASON            MESSAGE\n"
            "  Ready   True     120m ago   CurrentVerified   accepted everywhere\n");
}

TEST(Printer, OneRotationThatIsUnderWay) {
  v1alpha1::Rotation rotation;
  rotation.set_namespace_("erp-dev");
  rotation.set_name("x");
  rotation.set_wanted_revision("inc-4711");
  rotation.set_suspended(true);
  rotation.set_run("x-2");
  rotation.set_step("Publishing");
  *rotation.mutable_candidate() = message<v1alpha1::Credential>(R"({"name": "inc-4711.1", "issuedAt": "2026-11-22T11:59:00Z"})");
  std::ostringstream out;
  print_rotation(out, rotation, noon);
  EXPECT_EQ(out.str(),
            "Name:         erp-dev/x\n"
            "Wanted:       inc-4711 (suspended)\n"
            "Current:      <none>\n"
            "Candidate:    inc-4711.1, issued 2026-11-22T11:59:00Z (60s ago)\n"
            "Run:          x-2, Publishing\n"
            "Consumers:    <none>\n"
            "Conditions:   <none>\n");
}

TEST(Printer, WhatStallsARotationNamesItsPageOnce) {
  v1alpha1::Rotation rotation;
  *rotation.add_conditions() = message<v1alpha1::Condition>(R"({"type": "Ready", "status": "False", "reason": "ForeignPublish"})");
  *rotation.add_conditions() = message<v1alpha1::Condition>(R"({"type": "Stalled", "status": "True", "reason": "ForeignPublish"})");
  *rotation.add_conditions() = message<v1alpha1::Condition>(R"({"type": "Rotating", "status": "True", "reason": "Rotating"})");
  *rotation.add_conditions() = message<v1alpha1::Condition>(R"({"type": "Drifted", "status": "False", "reason": "Drift"})");
  std::ostringstream out;
  print_rotation(out, rotation, noon);
  const std::string text = out.str();
  EXPECT_TRUE(text.ends_with("\nSee docs/runbook/ForeignPublish.md\n")) << text;
  EXPECT_EQ(text.find("See "), text.rfind("See ")) << text;
}

TEST(Printer, APlan) {
  const auto plan = message<v1alpha1::RotationPlan>(R"({
    "decision": "Mint", "reason": "Scheduled", "credential": "2026-q4.2", "hash": "sha256:0123", "unsafeWindow": "45s",
    "steps": [{"phase": "Staging", "action": "stage", "target": "main", "description": "Write the new value to the staging secret."},
              {"phase": "Verifying", "action": "soak"}],
    "hazards": [{"severity": "Blocking", "reason": "UnsafeRestart", "target": "worker", "message": "Its key ring is lost."},
                {"severity": "Warning", "reason": "TooFewReplicas", "target": "hr", "message": "A restart interrupts it."},
                {"severity": "Warning", "reason": "UndeclaredConsumer", "target": "erp/reports", "message": "It refers to the secret."},
                {"severity": "Info", "reason": "ApprovalRequired", "message": "Set approvedPlan."}]})");
  std::ostringstream out;
  print_plan(out, "erp-dev/erp-redis", plan);
  EXPECT_EQ(out.str(),
            "Rotation:     erp-dev/erp-redis\n"
            "Decision:     Mint\n"
            "Reason:       Scheduled\n"
            "Afterwards:   2026-q4.2\n"
            "Steps:\n"
            "  1. [Staging] stage main\n"
            "     Write the new value to the staging secret.\n"
            "  2. [Verifying] soak\n"
            "Unsafe:       about 45s: until everybody has the new credential, new logins can fail\n"
            "Hazards:      1 Blocking, 2 Warning, 1 Info\n"
            "  SEVERITY   HAZARD               TARGET        MESSAGE\n"
            "  Blocking   UnsafeRestart        worker        Its key ring is lost.\n"
            "  Warning    TooFewReplicas       hr            A restart interrupts it.\n"
            "  Warning    UndeclaredConsumer   erp/reports   It refers to the secret.\n"
            "  Info       ApprovalRequired     <none>        Set approvedPlan.\n"
            "Plan hash:    sha256:0123\n"
            "Approval:     not possible: nothing begins while a hazard is Blocking\n");
}

TEST(Printer, APlanThatIsSafeAndHowItIsApproved) {
  auto plan = message<v1alpha1::RotationPlan>(R"({"decision": "Mint", "credential": "b.1", "hash": "sha256:0123",
    "steps": [{"phase": "Staging", "action": "Stage"}]})");
  std::ostringstream open;
  print_plan(open, "x", plan);
  EXPECT_EQ(open.str(),
            "Rotation:     x\n"
            "Decision:     Mint\n"
            "Afterwards:   b.1\n"
            "Steps:\n"
            "  1. [Staging] Stage\n"
            "Unsafe:       0s: two credentials stay valid\n"
            "Hazards:      none\n"
            "Plan hash:    sha256:0123\n"
            "Approval:     not needed in this environment\n");
  *plan.add_hazards() = message<v1alpha1::Hazard>(R"({"severity": "Info", "reason": "ApprovalRequired"})");
  std::ostringstream closed;
  print_plan(closed, "x", plan);
  EXPECT_TRUE(closed.str().ends_with("Approval:     needed: write spec.approvedPlan: sha256:0123\n")) << closed.str();
}

TEST(Printer, APlanThatChangesNothing) {
  std::ostringstream out;
  print_plan(out, "erp-dev/x", message<v1alpha1::RotationPlan>(R"({"decision": "Keep", "credential": "2026-q4.1"})"));
  EXPECT_EQ(out.str(),
            "Rotation:     erp-dev/x\n"
            "Decision:     Keep\n"
            "Afterwards:   2026-q4.1\n"
            "Steps:        none: nothing would be changed\n"
            "Hazards:      none\n");
}

TEST(Printer, StepNumbersLineUp) {
  v1alpha1::RotationPlan plan;
  for (int i = 0; i < 10; ++i) plan.add_steps()->set_phase("Rolling");
  std::ostringstream out;
  print_plan(out, "x", plan);
  EXPECT_NE(out.str().find("\n   9. [Rolling]"), std::string::npos);
  EXPECT_NE(out.str().find("\n  10. [Rolling]"), std::string::npos);
}

TEST(Printer, AHistory) {
  const auto history = message<v1alpha1::GetHistoryResponse>(R"({"runs": [
    {"name": "erp-redis-2", "direction": "Back", "credential": "2026-q4.1", "oldCredential": "inc.1", "reason": "Routine", "actor": "ann",
     "phase": "Rolling", "blocked": "UnsafeRestart", "startedAt": "2026-11-22T11:00:00Z"},
    {"name": "erp-redis-1", "direction": "Forward", "credential": "2026-q4.1", "reason": "SuspectedCompromise", "incident": "INC-1",
     "phase": "Succeeded", "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:01:30Z",
     "evidence": [{"at": "2026-11-22T10:00:05Z", "step": "Switching", "target": "cache", "what": "fresh login accepted"}]}]})");
  std::ostringstream out;
  print_history(out, "erp-dev/erp-redis", history);
  EXPECT_EQ(out.str(),
            "2 runs of erp-dev/erp-redis, newest first\n"
            "\n"
            "2026-11-22T11:00:00Z  Back  inc.1 -> 2026-q4.1  Rolling\n"
            "  run       erp-redis-2\n"
            "  reason    Routine, by ann\n"
            "  blocked   UnsafeRestart\n"
            "\n"
            "2026-11-22T10:00:00Z  Forward  nothing -> 2026-q4.1  Succeeded\n"
            "  run       erp-redis-1\n"
            "  reason    SuspectedCompromise, incident INC-1\n"
            "  evidence\n"
            "    AT                     STEP        TARGET   OBSERVED\n"
            "    2026-11-22T10:00:05Z   Switching   cache    fresh login accepted\n"
            "  finished  2026-11-22T10:01:30Z, after 90s\n");
}

TEST(Printer, AnEmptyHistory) {
  std::ostringstream out;
  print_history(out, "erp-dev/x", {});
  EXPECT_EQ(out.str(), "No runs of erp-dev/x yet.\n");
}

TEST(Printer, AVerificationThatFoundNothing) {
  std::ostringstream out;
  print_verification(out, message<v1alpha1::Verification>(R"({"namespace": "erp-dev", "name": "x", "intact": true, "records": 6,
    "head": "sha256:ab12", "noted": {"sealed": 6, "hash": "sha256:ab12"}})"));
  EXPECT_EQ(out.str(), "erp-dev/x: 6 records, intact, head sha256:ab12\n");
  out.str("");
  print_verification(out, message<v1alpha1::Verification>(R"({"namespace": "erp-dev", "name": "x", "intact": true})"));
  EXPECT_EQ(out.str(), "erp-dev/x: no records yet\n");
}

TEST(Printer, AVerificationSaysWhenItCouldNotSeeTheEnd) {
  std::ostringstream out;
  print_verification(out, message<v1alpha1::Verification>(R"({"namespace": "erp-dev", "name": "x", "intact": true, "records": 1,
    "head": "sha256:ab12"})"));
  EXPECT_EQ(out.str(),
            "erp-dev/x: 1 record, intact, head sha256:ab12\n"
            "  The rotation's status notes no head: without --anchor, a missing end would not be seen.\n");
}

TEST(Printer, AVerificationNamesEachFinding) {
  std::ostringstream out;
  print_verification(out, message<v1alpha1::Verification>(R"({"namespace": "erp-dev", "name": "x", "records": 5, "head": "sha256:ab12",
    "noted": {"sealed": 6, "hash": "sha256:cd34"},
    "findings": [{"kind": "Edited", "run": "x-3", "message": "its content does not give the hash that it was sealed with"},
                 {"kind": "Truncated", "message": "the last record is not there"}]})"));
  EXPECT_EQ(out.str(),
            "erp-dev/x: 5 records, 2 findings, head sha256:ab12\n"
            "  FINDING     RUN      WHAT\n"
            "  Edited      x-3      its content does not give the hash that it was sealed with\n"
            "  Truncated   <none>   the last record is not there\n");
}

TEST(Printer, TextOfOthersCannotMoveTheCursor) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\x7f\xc2\x9b"
                      "c\xc3\xa9"),
            "a?[2Jb???c\xc3\xa9");
  v1alpha1::Rotation rotation = a_rotation();
  rotation.set_name("\x1b[31mred");
  EXPECT_EQ(table_of({rotation}, {}).find('\x1b'), std::string::npos);
  std::ostringstream out;
  print_rotation(out, rotation, noon);
  EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

TEST(Printer, ColumnsCountCharactersNotBytes) {
  Table table({"A", "B"});
  table.add({"\xc3\xa9\xc3\xa9", "1"});
  table.add({"abc", "2"});
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(), "A     B\n\xc3\xa9\xc3\xa9    1\nabc   2\n");
}

TEST(Printer, AStreamOfRowsHasOneHeaderAndKeepsItsColumns) {
  Table table({"A", "B"});
  table.widen(0, 4);
  std::ostringstream out;
  table.stream(out, {"x", "1"});
  table.stream(out, {"longer", "2"});
  EXPECT_EQ(out.str(), "A      B\nx      1\nlonger   2\n");
}

TEST(Printer, JsonIsIndentedForOneAnswerAndOneLineInAStream) {
  v1alpha1::RotationEvent event;
  event.set_type(v1alpha1::RotationEvent::ADDED);
  std::ostringstream line;
  print_json(line, event, JsonForm::Line);
  EXPECT_EQ(line.str(), "{\"type\":\"ADDED\"}\n");
  std::ostringstream indented;
  print_json(indented, event);
  EXPECT_EQ(indented.str(), "{\n \"type\": \"ADDED\"\n}\n");
}

}  // namespace
}  // namespace keyturn
