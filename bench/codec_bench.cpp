// Between objects and JSON: what every read and write of the store costs.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/codec.h"
#include "bench/batches.h"
#include "bench/samples.h"

namespace keyturn::bench {
namespace {

namespace json = boost::json;

constexpr int calls_per_batch = 16;

void encode_rotation(benchmark::State& state) {
  const api::SecretRotation rotation = sample_rotation();
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(api::encode(rotation));
  });
}
BENCHMARK(encode_rotation)->UseManualTime()->Iterations(batches_timed);

void decode_rotation(benchmark::State& state) {
  const json::object object = api::encode(sample_rotation());
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(api::decode_secret_rotation(object));
  });
}
BENCHMARK(decode_rotation)->UseManualTime()->Iterations(batches_timed);

void encode_run(benchmark::State& state) {
  const api::RotationRun run = sample_run();
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(api::encode(run));
  });
}
BENCHMARK(encode_run)->UseManualTime()->Iterations(batches_timed);

void decode_run(benchmark::State& state) {
  const json::object object = api::encode(sample_run());
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(api::decode_rotation_run(object));
  });
}
BENCHMARK(decode_run)->UseManualTime()->Iterations(batches_timed);

void parse_text(benchmark::State& state) {
  const std::string text = json::serialize(api::encode(sample_rotation()));
  state.SetLabel(std::to_string(text.size()) + " bytes");
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(json::parse(text));
  });
}
BENCHMARK(parse_text)->UseManualTime()->Iterations(batches_timed);

void write_text(benchmark::State& state) {
  const json::object object = api::encode(sample_rotation());
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (int i = 0; i < calls; ++i) benchmark::DoNotOptimize(json::serialize(object));
  });
}
BENCHMARK(write_text)->UseManualTime()->Iterations(batches_timed);

}  // namespace
}  // namespace keyturn::bench
