// Verifying the records of finished runs: reading their links, hashing them, and judging the chain.
#include "api/record_chain.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#include "api/canonical_json.h"
#include "api/codec.h"
#include "bench/batches.h"
#include "bench/samples.h"

namespace keyturn::bench {
namespace {

namespace json = boost::json;

constexpr int records_in_chain = 1'000;

// Finished runs as they are stored, each sealed behind the one before it.
std::vector<json::object> sample_chain() {
  std::vector<json::object> chain;
  std::string previous;
  for (int generation = 1; generation <= records_in_chain; ++generation) {
    api::RotationRun run = sample_run();
    run.meta.name = "erp-database-" + std::to_string(generation);
    run.spec.generation = generation;
    run.status.phase = api::Phase::Succeeded;
    run.status.finished_at = sample_now() + std::chrono::hours(generation);
    api::seal(run, previous);
    previous = run.status.record_hash;
    chain.push_back(json::parse(json::serialize(api::encode(run))).as_object());
  }
  return chain;
}

// One call is one record, so that calls per second are records per second.
void verify_record(benchmark::State& state) {
  const std::vector<json::object> chain = sample_chain();
  state.SetLabel(std::to_string(api::canonical_record(chain.front()).size()) + " bytes per record");
  Batches(state).run(records_in_chain, [&](int) {
    std::vector<api::Record> records;
    records.reserve(chain.size());
    for (const json::object& run : chain) records.push_back(api::record_of(run));
    benchmark::DoNotOptimize(api::verify(std::move(records), {}));
  });
}
// So many rounds and no more: a round is a thousand records, while the time that counts is that of one.
BENCHMARK(verify_record)->UseManualTime()->Iterations(50);

}  // namespace
}  // namespace keyturn::bench
