#include "cli/printer.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "api/hazards.h"
#include "api/reasons.h"

namespace keyturn {
namespace {

using google::protobuf::util::TimeUtil;

Instant instant_of(const google::protobuf::Timestamp& at) { return Instant(Duration(TimeUtil::TimestampToMilliseconds(at))); }

// "5m ago" of the past, "in 5m" of the future.
std::string relative(const google::protobuf::Timestamp& at, Instant now) {
  const Duration age = now - instant_of(at);
  return age < Duration::zero() ? "in " + format_age(-age) : format_age(age) + " ago";
}

std::string absolute(const google::protobuf::Timestamp& at) { return format_seconds(instant_of(at)); }

const v1alpha1::Condition* condition(const v1alpha1::Rotation& rotation, const std::string& type) {
  const auto found = std::find_if(rotation.conditions().begin(), rotation.conditions().end(),
                                  [&type](const v1alpha1::Condition& entry) { return entry.type() == type; });
  return found == rotation.conditions().end() ? nullptr : &*found;
}

// A secret's name as the vault has it and as configuration reads it: "--" stands for ":".
std::string both_names(const std::string& name) {
  std::string key = name;
  for (std::size_t at = key.find("--"); at != std::string::npos; at = key.find("--", at + 1)) key.replace(at, 2, ":");
  return key == name ? name : name + " (" + key + ")";
}

// One "Key:   value" line of a block; nothing for an empty value.
void line(std::ostream& out, const std::string& key, const std::string& value) {
  if (!value.empty()) out << fmt::format("{:<14}{}\n", key + ":", printable(value));
}

std::string credential_text(const v1alpha1::Credential& credential, Instant now) {
  std::string text = credential.name();
  if (credential.has_activated_at())
    text += ", in use since " + absolute(credential.activated_at()) + " (" + relative(credential.activated_at(), now) + ")";
  else if (credential.has_issued_at())
    text += ", issued " + absolute(credential.issued_at()) + " (" + relative(credential.issued_at(), now) + ")";
  if (!credential.vault_version().empty()) text += ", vault version " + credential.vault_version();
  return text;
}

void print_consumers(std::ostream& out, const v1alpha1::Rotation& rotation) {
  out << "Consumers:";
  if (rotation.consumers().empty()) {
    out << "    <none>\n";
    return;
  }
  out << '\n';
  Table table({"NAME", "USING", "STATE", "EVIDENCE"});
  for (const v1alpha1::Consumer& consumer : rotation.consumers())
    table.add({consumer.name(), consumer.using_(), consumer.state(), consumer.evidence()});
  table.print(out, "  ");
}

void print_conditions(std::ostream& out, const v1alpha1::Rotation& rotation, Instant now) {
  out << "Conditions:";
  if (rotation.conditions().empty()) {
    out << "   <none>\n";
    return;
  }
  out << '\n';
  Table table({"TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"});
  for (const v1alpha1::Condition& entry : rotation.conditions()) {
    const std::string since = entry.has_last_transition_time() ? relative(entry.last_transition_time(), now) : "";
    table.add({entry.type(), entry.status(), since, entry.reason(), entry.message()});
  }
  table.print(out, "  ");
}

// Where a person finds what to do: the pages of the runbook for what is not as it should be.
void print_pages(std::ostream& out, const v1alpha1::Rotation& rotation) {
  std::set<std::string> reasons;
  for (const v1alpha1::Condition& entry : rotation.conditions()) {
    const bool wrong = entry.type() == "Ready" ? entry.status() != "True" : entry.status() == "True";
    if (wrong) reasons.insert(entry.reason());
  }
  for (const api::reason::Entry& known : api::reason::all()) {
    if (has_page(known) && reasons.contains(std::string(known.reason))) out << "See docs/runbook/" << known.reason << ".md\n";
  }
}

std::string change_of(const v1alpha1::Run& run) {
  const std::string old = run.old_credential().empty() ? "nothing" : run.old_credential();
  return old + " -> " + run.credential();
}

void print_run(std::ostream& out, const v1alpha1::Run& run) {
  out << fmt::format("\n{}  {}  {}  {}\n", run.has_started_at() ? absolute(run.started_at()) : "not started yet",
                     printable(run.direction()), printable(change_of(run)), printable(run.phase()));
  std::string why = run.reason();
  if (!run.incident().empty()) why += ", incident " + run.incident();
  if (!run.actor().empty()) why += ", by " + run.actor();
  const auto detail = [&out](const std::string& key, const std::string& value) {
    if (!value.empty()) out << fmt::format("  {:<9} {}\n", key, printable(value));
  };
  detail("run", run.name());
  detail("reason", why);
  detail("blocked", run.blocked());
  detail("failure", run.failure());
  if (!run.evidence().empty()) {
    out << "  evidence\n";
    Table table({"AT", "STEP", "TARGET", "OBSERVED"});
    for (const v1alpha1::Evidence& evidence : run.evidence())
      table.add({absolute(evidence.at()), evidence.step(), evidence.target(), evidence.what()});
    table.print(out, "    ");
  }
  if (run.has_finished_at()) {
    const Duration took = run.has_started_at() ? instant_of(run.finished_at()) - instant_of(run.started_at()) : Duration::zero();
    detail("finished", absolute(run.finished_at()) + ", after " + format_age(took));
  }
  if (!run.record_hash().empty()) detail("record", run.record_hash());
}

void print_steps(std::ostream& out, const v1alpha1::RotationPlan& plan) {
  if (plan.steps().empty()) {
    line(out, "Steps", "none: nothing would be changed");
    return;
  }
  out << "Steps:\n";
  const std::size_t digits = std::to_string(plan.steps_size()).size();
  for (int i = 0; i < plan.steps_size(); ++i) {
    const v1alpha1::PlannedStep& step = plan.steps(i);
    const std::string target = step.target().empty() ? "" : " " + step.target();
    out << fmt::format("  {:>{}}. [{}] {}{}\n", i + 1, digits, printable(step.phase()), printable(step.action()), printable(target));
    if (!step.description().empty()) out << std::string(digits + 4, ' ') << printable(step.description()) << '\n';
  }
}

std::string unsafe_text(const v1alpha1::RotationPlan& plan) {
  const Duration window(TimeUtil::DurationToMilliseconds(plan.unsafe_window()));
  if (window != Duration::zero())
    return "about " + format_duration(window) + ": until everybody has the new credential, new logins can fail";
  return plan.steps().empty() ? "" : "0s: two credentials stay valid";
}

void print_hazards(std::ostream& out, const v1alpha1::RotationPlan& plan) {
  if (plan.hazards().empty()) {
    line(out, "Hazards", "none");
    return;
  }
  std::string counts;
  for (const char* severity : {"Blocking", "Warning", "Info"}) {
    const auto of = std::count_if(plan.hazards().begin(), plan.hazards().end(),
                                  [severity](const v1alpha1::Hazard& hazard) { return hazard.severity() == severity; });
    if (of > 0) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", of, severity);
  }
  line(out, "Hazards", counts);
  Table table({"SEVERITY", "HAZARD", "TARGET", "MESSAGE"});
  for (const v1alpha1::Hazard& hazard : plan.hazards()) table.add({hazard.severity(), hazard.reason(), hazard.target(), hazard.message()});
  table.print(out, "  ");
}

bool has_hazard(const v1alpha1::RotationPlan& plan, const std::function<bool(const v1alpha1::Hazard&)>& wanted) {
  return std::any_of(plan.hazards().begin(), plan.hazards().end(), wanted);
}

std::string approval_text(const v1alpha1::RotationPlan& plan) {
  const bool blocked = has_hazard(plan, [](const v1alpha1::Hazard& hazard) { return hazard.severity() == "Blocking"; });
  const bool needed = has_hazard(plan, [](const v1alpha1::Hazard& hazard) { return hazard.reason() == api::hazard::approval_required; });
  if (blocked) return "not possible: nothing begins while a hazard is Blocking";
  return needed ? "needed: write spec.approvedPlan: " + plan.hash() : "not needed in this environment";
}

}  // namespace

Table rotation_table(Columns columns) {
  Table::Cells header;
  if (columns.event) header.push_back("EVENT");
  if (columns.ns) header.push_back("NAMESPACE");
  for (const char* name : {"NAME", "READY", "REASON", "WANTED", "CURRENT", "ROTATED", "NEXT", "AGE"}) header.push_back(name);
  if (columns.wide)
    for (const char* name : {"ENVIRONMENT", "SECRET", "SUSPENDED", "MESSAGE"}) header.push_back(name);
  return Table(std::move(header));
}

Table::Cells rotation_cells(const v1alpha1::Rotation& rotation, Columns columns, Instant now, const std::string& event) {
  const v1alpha1::Condition* ready = condition(rotation, "Ready");
  const v1alpha1::Credential& current = rotation.current();
  Table::Cells cells;
  if (columns.event) cells.push_back(event);
  if (columns.ns) cells.push_back(rotation.namespace_());
  cells.push_back(rotation.name());
  cells.push_back(ready ? ready->status() : "Unknown");
  cells.push_back(ready ? ready->reason() : "");
  cells.push_back(rotation.wanted_revision());
  cells.push_back(current.name());
  cells.push_back(current.has_activated_at() ? relative(current.activated_at(), now) : "");
  cells.push_back(rotation.has_next_rotation_time() ? relative(rotation.next_rotation_time(), now) : "");
  cells.push_back(rotation.has_creation_time() ? format_age(now - instant_of(rotation.creation_time())) : "");
  if (columns.wide) {
    cells.push_back(rotation.environment());
    cells.push_back(rotation.secret());
    cells.push_back(rotation.suspended() ? "true" : "false");
    cells.push_back(ready ? ready->message() : "");
  }
  return cells;
}

void print_rotation(std::ostream& out, const v1alpha1::Rotation& rotation, Instant now) {
  line(out, "Name", rotation.namespace_() + "/" + rotation.name());
  line(out, "Environment", rotation.environment());
  line(out, "Secret", both_names(rotation.secret()));
  line(out, "Wanted", rotation.wanted_revision() + (rotation.suspended() ? " (suspended)" : ""));
  line(out, "Current", rotation.has_current() ? credential_text(rotation.current(), now) : "<none>");
  if (rotation.has_candidate()) line(out, "Candidate", credential_text(rotation.candidate(), now));
  if (rotation.has_previous()) line(out, "Previous", credential_text(rotation.previous(), now));
  if (!rotation.run().empty()) line(out, "Run", rotation.run() + (rotation.step().empty() ? "" : ", " + rotation.step()));
  if (rotation.has_record()) {
    const v1alpha1::RecordHead& record = rotation.record();
    line(out, "Records", fmt::format("{} sealed, head {}", record.sealed(), record.hash()));
  }
  if (rotation.has_next_rotation_time())
    line(out, "Next", absolute(rotation.next_rotation_time()) + " (" + relative(rotation.next_rotation_time(), now) + ")");
  print_consumers(out, rotation);
  print_conditions(out, rotation, now);
  print_pages(out, rotation);
}

void print_plan(std::ostream& out, const std::string& rotation, const v1alpha1::RotationPlan& plan) {
  line(out, "Rotation", rotation);
  line(out, "Decision", plan.decision());
  line(out, "Reason", plan.reason());
  line(out, "Afterwards", plan.credential());
  print_steps(out, plan);
  line(out, "Unsafe", unsafe_text(plan));
  print_hazards(out, plan);
  line(out, "Plan hash", plan.hash());
  if (!plan.hash().empty()) line(out, "Approval", approval_text(plan));
}

void print_history(std::ostream& out, const std::string& rotation, const v1alpha1::GetHistoryResponse& history) {
  if (history.runs().empty()) {
    out << "No runs of " << printable(rotation) << " yet.\n";
    return;
  }
  out << fmt::format("{} {} of {}, newest first\n", history.runs_size(), history.runs_size() == 1 ? "run" : "runs", printable(rotation));
  for (const v1alpha1::Run& run : history.runs()) print_run(out, run);
}

// One line where all is well; otherwise one more per finding.
void print_verification(std::ostream& out, const v1alpha1::Verification& verification) {
  const std::string name = printable(verification.namespace_() + "/" + verification.name());
  const int findings = verification.findings_size();
  const std::string result = verification.intact() ? "intact" : fmt::format("{} {}", findings, findings == 1 ? "finding" : "findings");
  if (verification.records() == 0 && verification.intact()) {
    out << name << ": no records yet\n";
    return;
  }
  out << fmt::format("{}: {} {}, {}", name, verification.records(), verification.records() == 1 ? "record" : "records", result);
  if (!verification.head().empty()) out << ", head " << printable(verification.head());
  out << '\n';
  if (!verification.findings().empty()) {
    Table table({"FINDING", "RUN", "WHAT"});
    for (const v1alpha1::Finding& finding : verification.findings()) table.add({finding.kind(), finding.run(), finding.message()});
    table.print(out, "  ");
  }
  if (!verification.has_noted()) out << "  The rotation's status notes no head: without --anchor, a missing end would not be seen.\n";
}

void print_json(std::ostream& out, const google::protobuf::Message& message, JsonForm form) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = form == JsonForm::Indented;
  options.always_print_primitive_fields = true;
  std::string text;
  // It cannot fail: the message came out of JSON.
  (void)google::protobuf::util::MessageToJsonString(message, &text, options);
  out << text;
  if (form == JsonForm::Line) out << '\n';
}

}  // namespace keyturn
