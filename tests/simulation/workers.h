// Spreads independent pieces of work over child processes, and gathers what each has to say.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace keyturn::simulation {

// Runs `work(worker)` for each of `count` workers in a process of its own; returns what each returned, in order. A worker that dies
// leaves "died". With one worker everything happens in this process.
std::vector<std::string> in_workers(int count, const std::function<std::string(int)>& work);

int processors();

}  // namespace keyturn::simulation
