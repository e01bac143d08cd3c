#include "controller/runtime/wiping_memory.h"

#include <gtest/gtest.h>

#include <boost/json/memory_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstring>

namespace keyturn {
namespace {

TEST(WipingMemory, GivesAlignedBlocksOfEverySize) {
  const auto storage = wiping_storage();
  for (const std::size_t alignment : {1, 2, 8, 16, 64}) {
    for (const std::size_t bytes : {1, 7, 64, 100'000}) {
      void* const block = storage->allocate(bytes, alignment);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
      std::memset(block, 1, bytes);
      storage->deallocate(block, bytes, alignment);
    }
  }
}

TEST(WipingMemory, AllStoragesAreOneSoThatMovingDoesNotCopy) {
  boost::json::value first("a string that is too long to be kept inside the value itself", wiping_storage());
  const char* const text = first.get_string().data();
  const boost::json::value second(std::move(first), wiping_storage());
  EXPECT_EQ(second.get_string().data(), text);
  EXPECT_EQ(*wiping_storage(), *wiping_storage());
}

}  // namespace
}  // namespace keyturn
