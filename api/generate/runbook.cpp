#include "api/generate/runbook.h"

#include <array>
#include <string_view>

namespace keyturn::generate {
namespace {

using api::reason::Entry;
using api::reason::Group;

struct Section {
  Group group;
  std::string_view title;
  std::string_view lead;
};

// What burns comes first.
constexpr std::array sections{
    Section{Group::Blocked, "Blocked",
            "A run is under way and cannot go on, or one may not begin: `Stalled` is True, and a run that exists says it in "
            "`status.blocked`. The run stays in its phase; [phases](phases.md) says what that means outside."},
    Section{Group::Stalled, "Stalled", "The controller cannot do what the spec asks for until somebody acts: `Stalled` is True."},
    Section{Group::Ready, "Ready", "Why `Ready` is what it is."},
    Section{Group::Reconciling, "Reconciling", "Something is under way that the spec asked for. Nobody needs to act."},
    Section{Group::Other, "Others", "Of the other conditions, of events, and of `status.failure` of a run."},
};

constexpr std::string_view head =
    "<!-- Written by keyturn-generate from api/reasons.cpp. Change it there. -->\n"
    "# Runbook\n"
    "One line per reason. The same words stand in conditions, events, metrics and on the command line. A reason with a link has a page: "
    "what it "
    "means, what is touched, where to look, what to do, and what happens then.\n\n"
    "The reason of a rotation:\n\n"
    "```sh\n"
    "keyturn status NAME -n NAMESPACE\n"
    "kubectl get srot -A\n"
    "```\n\n"
    "* [phases](phases.md): what is touched in which phase of a run.\n"
    "* [manual recovery](manual-recovery.md): the controller is gone in the middle of a run, and will not come back in time.\n\n"
    "Words in capitals stand for names of yours. NAME and NAMESPACE are those of the `SecretRotation`, ENVIRONMENT is its "
    "`spec.environmentRef.name`, RUN its `status.run`, VAULT the vault's name in Azure, SECRET its `spec.secret.name`, APP and GROUP are "
    "`containerApp.app` and `containerApp.resourceGroup` of a consumer in the environment. Journals are in the namespace "
    "`keyturn-system`.\n";

void add_row(std::string& out, const Entry& entry) {
  const std::string reason(entry.reason);
  out += "| " + (has_page(entry) ? "[" + reason + "](" + reason + ".md)" : reason) + " | " + std::string(entry.meaning) + " | " +
         (has_page(entry) ? "[page](" + reason + ".md)" : std::string(entry.action)) + " |\n";
}

}  // namespace

std::string runbook_index(std::span<const Entry> entries) {
  std::string out(head);
  for (const Section& section : sections) {
    out.append("\n## ")
        .append(section.title)
        .append("\n")
        .append(section.lead)
        .append("\n\n| reason | what it means | what to do |\n|---|---|---|\n");
    for (const Entry& entry : entries) {
      if (entry.group == section.group) add_row(out, entry);
    }
  }
  return out;
}

}  // namespace keyturn::generate
