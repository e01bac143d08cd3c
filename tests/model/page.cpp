#include "tests/model/page.h"

#include <fmt/format.h>

#include <string_view>

#include "tests/model/catalogue.h"
#include "tests/model/orders.h"

namespace keyturn::model {
namespace {

constexpr std::string_view head = R"(# What the model check finds

<!-- Written by `./dev gen` from a run of tests/model; a test compares. Change the scenarios there. -->

The model check explores every world that the product's own `plan()` can reach, breadth first, within a budget of faults: crashes, replies that
are lost although the request was carried out, requests that time out and take effect at any later moment, and two controllers that both believe
to lead. Consumers may restart by themselves at any moment. In every world every invariant of the protocol is evaluated (*safety*), and from
every world a good end must be reachable without another fault and without help from outside (*liveness*; STUCK says that it is not).

*all faults* is one crash, one lost reply, one late request and one lease that expires under its holder. A row with a guard taken out must FAIL:
the check notices that the guard is missing. A row that says *fixed order* is no work of the planner, which cannot produce that order: it repeats
what runbooks and simple scripts do. `model_check --trace ID` prints a shortest way into each violation.

The ids A to E, R and W are those of the scenarios, rollback runs and waits of the protocol's reference models, with the same verdicts.
)";

struct Chapter {
  char letter;
  std::string_view title;
};
constexpr Chapter chapters[] = {
    {'A', "One live credential"},
    {'B', "Two live credentials, and two logins in turn"},
    {'C', "The provider makes the value"},
    {'D', "Shared keys without a dependent"},
    {'E', "Several vaults"},
    {'R', "Rollback runs: a later run brings an earlier value back"},
    {'W', "Every wait, taken out on its own"},
    {'G', "More guards, each with and without"},
};

constexpr std::string_view notes = R"(
## Where this differs from the reference models

* **More is violated here** in many rows that fail, and some are STUCK as well. The reference has a drift monitor that repairs; the product's watch
  reports drift and leaves the repair to the next run. And more invariants are evaluated: I6, I7, I8, I14 and those in capitals.
* **A12** is A11 with one late request, judged only by I1, I2 and where it ends.
* **B5, B12**: without the journalled point of no return the old credential is looked at while the run still verifies. A way back first makes the old
  credential accepted again and withdraws the pending one in a phase of its own, so that B12 needs a late request where the reference needs none.
* **B13, W8, W11**: the wait stands before the phase that withdraws the pending credential.
* **A21, A22**: the backup may bring the first run back in any of its phases, and what is found out must not have cost anything.
* **C4 to C11** stage what the provider made before it is chosen, and what the idle slot held before it is regenerated.
* **C11** is a fault of the environment: a grace period that is shorter than the rollout. The guards cannot make up for it.
* **D5, D6** take the place of the reference's single operator: two leaders, a lost and a late request as well.
* **W17** takes out nothing: the planner has no such wait, and the reference does not need it.
)";

std::string row(const Case& one) {
  const Verdict& verdict = verdict_of(one);
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", one.id, one.title, removed_in(one), verdict.passes() ? "PASS" : "FAIL",
                     violated_in(verdict), verdict.worlds, verdict.edges, verdict.depth);
}

std::string orders_row(std::string_view kind, std::string_view steps, const OrderCount& count) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", kind, steps, count.orders, count.safe, count.converging);
}

}  // namespace

std::string removed_in(const Case& one) {
  if (one.scripted) return "fixed order";
  std::string names;
  for (const Guard guard : one.removed) names += (names.empty() ? "" : ", ") + std::string(name_of(guard));
  return names.empty() ? "-" : names;
}

std::string violated_in(const Verdict& verdict) {
  std::string names;
  for (const std::string& name : verdict.violated) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "-" : names;
}

std::string render_page() {
  std::string page(head);
  std::size_t worlds = 0;
  std::size_t edges = 0;
  std::size_t failing = 0;
  for (const Chapter& chapter : chapters) {
    page += fmt::format("\n## {}. {}\n\n| id | what | taken out | verdict | violated | worlds | edges | depth |\n", chapter.letter,
                        chapter.title);
    page += "|---|---|---|---|---|---|---|---|\n";
    for (const Case& one : catalogue()) {
      if (one.id.front() != chapter.letter) continue;
      page += row(one);
      worlds += verdict_of(one).worlds;
      edges += verdict_of(one).edges;
      failing += !verdict_of(one).passes();
    }
  }
  page +=
      "\n## All orders of the steps\n\nFree of faults; consumers may restart by themselves. An order is safe when I1 to I5 hold at every "
      "instant.\n\n";
  page += "| credentials | steps in any order | orders | safe | publish only what is verified, and end well |\n|---|---|---|---|---|\n";
  page += orders_row("one live", "publish, set, restart twice", orders_of_one_live_credential());
  page += orders_row("two live", "publish, add, restart twice, remove the old one", orders_of_two_live_credentials());
  page += fmt::format("\n{} rows, {} worlds, {} edges: {} pass and {} fail, as expected.\n", catalogue().size(), worlds, edges,
                      catalogue().size() - failing, failing);
  return page + std::string(notes);
}

}  // namespace keyturn::model
