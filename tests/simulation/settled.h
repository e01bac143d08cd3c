// Whether a world has come to a good end: every run is over, what is wanted is published, accepted and used by all, nothing staged is
// left; or it rests with a reason that what was done to it explains.
#pragma once

#include <string>

#include "tests/simulation/people.h"
#include "tests/simulation/world.h"

namespace keyturn::simulation {

// Empty = it has; otherwise what is still missing.
std::string what_is_missing(World& world, const People& people);
std::string what_is_missing(World& world, const People& people, std::size_t subject);
// What is half changed, and stays so, where people have suspended a rotation; empty = all is well, or a human was told what is not.
std::string half_changed(World& world, const People& people);

}  // namespace keyturn::simulation
