// The way of a key through the queue: added, handed out, done. The argument is how many other keys wait for their time meanwhile.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "bench/batches.h"
#include "controller/runtime/work_queue.h"

namespace keyturn::bench {
namespace {

constexpr int calls_per_batch = 256;

std::vector<ObjectKey> keys_named(const std::string& name, int count) {
  std::vector<ObjectKey> keys;
  for (int i = 0; i < count; ++i) keys.push_back({"namespace", name + std::to_string(i)});
  return keys;
}

Awaitable<> take(WorkQueue* queue, int count) {
  for (int i = 0; i < count; ++i) {
    const std::optional<WorkItem> item = co_await queue->get();
    if (item) queue->done(item->key);
  }
}

void work_queue_pass(benchmark::State& state) {
  boost::asio::io_context io(1);
  SystemClock clock(io.get_executor());
  WorkQueue queue(io.get_executor(), clock);
  for (const ObjectKey& key : keys_named("waiting-", static_cast<int>(state.range(0)))) queue.add_after(key, std::chrono::hours(10));
  const std::vector<ObjectKey> keys = keys_named("rotation-", calls_per_batch);
  Batches(state).run(calls_per_batch, [&](int calls) {
    for (const ObjectKey& key : keys) queue.add(key);
    bool taken = false;
    boost::asio::co_spawn(io, take(&queue, calls), [&taken](std::exception_ptr) { taken = true; });
    io.restart();
    while (!taken && io.run_one() != 0) {  // run() would stay for hours with the timer of the waiting keys
    }
  });
}
BENCHMARK(work_queue_pass)->UseManualTime()->Iterations(batches_timed)->Arg(0)->Arg(100'000);

}  // namespace
}  // namespace keyturn::bench
