// model_check                  the tests: every scenario has its verdict, and docs/model-check.md is current
// model_check --table FILE     writes that page
// model_check --trace ID       prints a shortest way into each violation of one scenario
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/model/catalogue.h"
#include "tests/model/page.h"

namespace keyturn::model {
namespace {

int write_page(const std::string& path) {
  const std::string page = render_page();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << page << std::flush;
  if (file) return 0;
  std::fprintf(stderr, "model_check: cannot write %s\n", path.c_str());
  return 1;
}

int print_traces(std::string_view id) {
  for (const Case& one : catalogue()) {
    if (one.id != id) continue;
    const Verdict& verdict = verdict_of(one);
    std::printf("%s %s (taken out: %s)\n", one.id.c_str(), one.title.c_str(), removed_in(one).c_str());
    for (const Counterexample& example : verdict.counterexamples) {
      std::printf("\n%s\n", example.what.c_str());
      for (const std::string& step : example.steps) std::printf("  %s\n", step.c_str());
    }
    if (verdict.counterexamples.empty()) std::printf("nothing is violated in %zu worlds\n", verdict.worlds);
    return 0;
  }
  std::fprintf(stderr, "model_check: no scenario has the id %.*s\n", static_cast<int>(id.size()), id.data());
  return 2;
}

}  // namespace
}  // namespace keyturn::model

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::string_view option = argc == 3 ? argv[1] : "";
  if (option == "--table") return keyturn::model::write_page(argv[2]);
  if (option == "--trace") return keyturn::model::print_traces(argv[2]);
  if (argc != 1) {
    std::fputs("usage: model_check [--table FILE | --trace ID]\n", stderr);
    return 2;
  }
  return RUN_ALL_TESTS();
}
