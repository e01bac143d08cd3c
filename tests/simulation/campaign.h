// Many seeds: how many worlds were lived through, what went wrong in them, and the first seeds that found something.
#pragma once

#include <cstdint>
#include <string>

namespace keyturn::simulation {

struct CampaignOptions {
  std::uint64_t seeds = 2'000;
  std::uint64_t from = 1;
  int jobs = 1;
  bool trace = false;  // prints the digest of each world's trace; of a single seed the trace itself
  bool twice = false;  // lives through each world twice, and compares
};

// Prints as it goes and a summary at the end. True = nothing was found. `command` is how this program is called, for reproducing.
bool run_campaign(const CampaignOptions& options, const std::string& command);

}  // namespace keyturn::simulation
