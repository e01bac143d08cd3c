#include "base/secret.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/memory_scan.h"
#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

const void* address_of(const Secret& secret) {
  return secret.expose([](std::string_view bytes) -> const void* { return bytes.data(); });
}

std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view bytes) { return std::string(bytes); });
}

bool is_zero(const void* memory, std::size_t bytes) {
  const auto* begin = static_cast<const char*>(memory);
  return std::all_of(begin, begin + bytes, [](char c) { return c == 0; });
}

// A line of /proc/self/smaps for the mapping that holds `address`, as in "VmFlags:".
std::string smaps_line(const void* address, std::string_view name) {
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      const auto at = reinterpret_cast<std::uintptr_t>(address);
      inside = at >= begin && at < end;
    } else if (inside && line.starts_with(name)) {
      return line;
    }
  }
  return "";
}

TEST(Secret, HoldsACopy) {
  std::string text = "correct horse";
  const Secret secret = Secret::copy_of(text);
  text = "wrong";
  EXPECT_EQ(text_of(secret), "correct horse");
  EXPECT_EQ(secret.size(), 13U);
  EXPECT_FALSE(secret.empty());
}

TEST(Secret, IsEmptyByDefaultAndOfNothing) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret::copy_of("").empty());
  EXPECT_EQ(text_of(Secret()), "");
  EXPECT_TRUE(Secret().clone().empty());
}

TEST(Secret, LeavesNothingInWhatItWasMovedFrom) {
  Secret from = Secret::copy_of("abc");
  const void* where = address_of(from);
  Secret to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(address_of(from), nullptr);
  EXPECT_EQ(address_of(to), where);
  Secret assigned = Secret::copy_of("old");
  assigned = std::move(to);
  EXPECT_EQ(text_of(assigned), "abc");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move): what is tested
}

TEST(Secret, SurvivesBeingAssignedToItself) {
  Secret secret = Secret::copy_of("abc");
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(text_of(secret), "abc");
}

TEST(Secret, IsWipedWhenFreed) {
  const std::string text(200, 'x');
  Secret secret = Secret::copy_of(text);
  const void* where = address_of(secret);
  EXPECT_FALSE(is_zero(where, text.size()));
  secret = Secret();
  EXPECT_TRUE(is_zero(where, text.size()));
}

TEST(Secret, IsEqualByContent) {
  const Secret secret = Secret::copy_of("abc");
  EXPECT_TRUE(secret.equals(Secret::copy_of("abc")));
  EXPECT_TRUE(secret.equals(secret.clone()));
  EXPECT_FALSE(secret.equals(Secret::copy_of("abd")));
  EXPECT_FALSE(secret.equals(Secret::copy_of("ab")));
  EXPECT_FALSE(secret.equals(Secret()));
  EXPECT_TRUE(Secret().equals(Secret()));
}

TEST(Secret, KeepsBytesThatAreNotText) {
  const std::string bytes("\0\xff\n\0", 4);
  EXPECT_EQ(text_of(Secret::copy_of(bytes)), bytes);
}

TEST(Secret, LeavesNothingInMemory) {
  SystemRandom random;
  const Canary canary(random);
  EXPECT_EQ(canary.copies(), 0U);
  {
    Secret secret = canary.reveal();
    EXPECT_EQ(canary.copies(), 1U);
    const Secret clone = secret.clone();
    EXPECT_EQ(canary.copies(), 2U);
    const Secret moved = std::move(secret);
    EXPECT_EQ(canary.copies(), 2U);
  }
  EXPECT_EQ(canary.copies(), 0U);
}

TEST(SecretBuffer, BuildsFromPieces) {
  SecretBuffer buffer;
  buffer.append("user").append(":").append(Secret::copy_of("pass"));
  buffer.push_back('!');
  EXPECT_EQ(buffer.size(), 10U);
  EXPECT_EQ(text_of(std::move(buffer).finish()), "user:pass!");
}

TEST(SecretBuffer, WipesWhatItOutgrew) {
  SystemRandom random;
  const Canary canary(random);
  SecretBuffer buffer;
  buffer.append(canary.reveal());
  for (int i = 0; i < 300; ++i) buffer.append(std::string(40, 'x'));
  EXPECT_EQ(canary.copies(), 1U);
  const Secret secret = std::move(buffer).finish();
  EXPECT_EQ(secret.size(), Canary::size + 300 * 40);
  EXPECT_EQ(canary.copies(), 1U);
}

TEST(SecretBuffer, IsFilledInPlace) {
  SecretBuffer buffer(4);
  const auto room = buffer.prepare(100);
  ASSERT_EQ(room.size(), 100U);
  std::fill_n(room.begin(), 5, 'a');
  buffer.commit(5);
  EXPECT_EQ(buffer.size(), 5U);
  buffer.writable()[0] = 'b';
  EXPECT_EQ(text_of(std::move(buffer).finish()), "baaaa");
}

TEST(SecretBuffer, WipesWhatIsConsumed) {
  SecretBuffer buffer;
  buffer.append("head:rest");
  const char* where = buffer.writable().data();
  buffer.consume(5);
  EXPECT_EQ(std::string_view(where, 4), "rest");
  EXPECT_TRUE(is_zero(where + 4, 5));
  buffer.consume(4);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_TRUE(is_zero(where, 9));
}

TEST(SecretBuffer, OfNothingGivesAnEmptySecret) {
  SecretBuffer buffer;
  buffer.append("").consume(0);
  EXPECT_TRUE(std::move(buffer).finish().empty());
}

TEST(SecretArena, CountsWhatIsInUse) {
  const std::size_t before = SecretArena::bytes_in_use();
  {
    const Secret small = Secret::copy_of("a");
    const Secret large = Secret::copy_of(std::string(1000, 'a'));
    EXPECT_GE(SecretArena::bytes_in_use(), before + 1001);
  }
  EXPECT_EQ(SecretArena::bytes_in_use(), before);
}

TEST(SecretArena, ThrowsWhenFullAndRecovers) {
  const std::size_t before = SecretArena::bytes_in_use();
  std::vector<Secret> held;
  const std::string text(10'000, 'x');
  EXPECT_THROW(for (;;) held.push_back(Secret::copy_of(text)), std::bad_alloc);
  EXPECT_GE(held.size(), SecretArena::bytes_default / 10'100 - 2);
  held.clear();
  EXPECT_EQ(SecretArena::bytes_in_use(), before);
  EXPECT_EQ(Secret::copy_of(text).size(), text.size());
}

TEST(SecretArena, RefusesMoreThanItHas) {
  EXPECT_THROW(SecretArena::allocate(SecretArena::bytes_default + 1), std::bad_alloc);
  EXPECT_THROW(SecretArena::allocate(SIZE_MAX), std::bad_alloc);
}

TEST(SecretArena, NeverHandsOutOverlappingBlocks) {
  SeededRandom random(3);
  struct Block {
    char* bytes;
    std::size_t size;
    char mark;
  };
  std::vector<Block> blocks;
  for (int step = 0; step < 20'000; ++step) {
    if (blocks.size() < 100 && random.below(2) == 0) {
      const std::size_t size = 1 + random.below(2000);
      const char mark = static_cast<char>(1 + random.below(100));
      auto* bytes = static_cast<char*>(SecretArena::allocate(size));
      ASSERT_TRUE(is_zero(bytes, size));
      std::fill_n(bytes, size, mark);
      blocks.push_back({bytes, size, mark});
    } else if (!blocks.empty()) {
      std::swap(blocks[random.below(static_cast<std::uint32_t>(blocks.size()))], blocks.back());
      const Block last = blocks.back();
      ASSERT_TRUE(std::all_of(last.bytes, last.bytes + last.size, [&](char c) { return c == last.mark; }));
      SecretArena::release(last.bytes, last.size);
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) SecretArena::release(block.bytes, block.size);
}

TEST(SecretArena, ServesSeveralThreads) {
  const std::size_t before = SecretArena::bytes_in_use();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      const std::string text(100 + static_cast<std::size_t>(i), static_cast<char>('a' + i));
      for (int n = 0; n < 2000; ++n) {
        const Secret secret = Secret::copy_of(text);
        const Secret clone = secret.clone();
        if (!clone.expose([&](std::string_view bytes) { return bytes == text; })) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(SecretArena::bytes_in_use(), before);
}

TEST(SecretArena, LiesInMemoryThatIsNeitherDumpedNorInherited) {
  const Secret secret = Secret::copy_of("abc");
  const std::string flags = smaps_line(address_of(secret), "VmFlags:");
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;  // do not dump
  EXPECT_NE(flags.find(" wf"), std::string::npos) << flags;  // wipe on fork
}

TEST(SecretArena, ShowsZerosToAChild) {
  const Secret secret = Secret::copy_of("abcdef");
  const void* where = address_of(secret);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(is_zero(where, 6) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(text_of(secret), "abcdef");
}

TEST(SecretArena, IsBetweenGuardPages) {
  // The whole arena as one block: the byte before and the byte behind must not be accessible.
  auto* bytes = static_cast<char*>(SecretArena::allocate(SecretArena::bytes_default));
  EXPECT_DEATH(*const_cast<volatile char*>(bytes + SecretArena::bytes_default) = 1, "");
  EXPECT_DEATH(*const_cast<volatile char*>(bytes - 1) = 1, "");
  SecretArena::release(bytes, SecretArena::bytes_default);
}

// Each in a process of its own, because what `lock` does lasts.
int lock_and_report() {
  if (!SecretArena::lock(SecretArena::bytes_default, SecretArena::Locking::BestEffort)) return 1;
  if (::prctl(PR_GET_DUMPABLE) != 0) return 2;
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  if (core.rlim_cur != 0 || core.rlim_max != 0) return 3;
  if (Secret::copy_of("abc").size() != 3) return 4;
  return SecretArena::lock(SecretArena::bytes_default, SecretArena::Locking::BestEffort) ? 0 : 5;
}

TEST(SecretArena, LockForbidsDumps) { EXPECT_EXIT(::_exit(lock_and_report()), testing::ExitedWithCode(0), ""); }

int lock_without_permission() {
  // No privilege to lock and a limit of nothing: what an unprivileged user without a limit set for it meets.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_MEMLOCK, &none);
  if (::geteuid() == 0 && ::setuid(65534) != 0) return 1;
  const auto required = SecretArena::lock(std::size_t{64} << 10, SecretArena::Locking::Required);
  if (required || required.error().code != Errc::Denied) return 2;
  return SecretArena::lock(std::size_t{64} << 10, SecretArena::Locking::BestEffort) ? 0 : 3;
}

TEST(SecretArena, LockFailsWhereMemoryCannotBeLockedUnlessTold) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // a fresh process, where no arena was made yet
  EXPECT_EXIT(::_exit(lock_without_permission()), testing::ExitedWithCode(0), "");
  testing::FLAGS_gtest_death_test_style = "fast";
}

TEST(SecretArena, LockRefusesToGrowWhatExists) {
  EXPECT_EXIT(::_exit(Secret::copy_of("a").size() == 1 && !SecretArena::lock(SecretArena::bytes_default * 2) ? 0 : 1),
              testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace keyturn
