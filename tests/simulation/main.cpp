// The simulation's command line. `./dev sim` calls it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/log.h"
#include "tests/simulation/campaign.h"
#include "tests/simulation/matrix.h"
#include "tests/simulation/transitions.h"
#include "tests/simulation/workers.h"

namespace {

void usage() {
  fmt::print(
      "usage: simulation [--seeds N] [--from S] [--jobs J] [--trace] [--twice]\n"
      "       simulation --matrix [--stride K] [--jobs J]\n"
      "       simulation --transitions N [--from S] [--jobs J]\n"
      "  Lives through N worlds, from seed S on, and prints what was found. --trace prints the digest of each trace, and of a single\n"
      "  seed the trace itself; --twice lives through each world twice and compares the traces.\n"
      "  --matrix strikes the n-th external call, for every n, or every K-th; --transitions changes the spec and changes it back.\n");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace keyturn::simulation;
  keyturn::log::configure(keyturn::log::Level::Error, keyturn::log::Format::Text);
  CampaignOptions options{.jobs = processors()};
  std::uint64_t transitions = 0;
  bool matrix = false;
  std::uint64_t stride = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0ULL; };
    if (word == "--seeds") {
      options.seeds = number();
    } else if (word == "--from") {
      options.from = number();
    } else if (word == "--jobs") {
      options.jobs = static_cast<int>(number());
    } else if (word == "--matrix") {
      matrix = true;
    } else if (word == "--stride") {
      stride = std::max<std::uint64_t>(1, number());
    } else if (word == "--transitions") {
      transitions = number();
    } else if (word == "--trace") {
      options.trace = true;
    } else if (word == "--twice") {
      options.twice = true;
    } else {
      usage();
      return 2;
    }
  }
  if (options.seeds == 0) {
    usage();
    return 2;
  }
  if (matrix) return run_matrix(options.jobs, stride) ? EXIT_SUCCESS : EXIT_FAILURE;
  if (transitions > 0) return run_transitions(transitions, options.from, transitions == 1 ? 1 : options.jobs) ? EXIT_SUCCESS : EXIT_FAILURE;
  if (options.seeds == 1) options.jobs = 1;
  return run_campaign(options, "./dev sim") ? EXIT_SUCCESS : EXIT_FAILURE;
}
