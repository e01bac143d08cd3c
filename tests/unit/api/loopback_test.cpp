#include "api/loopback.h"

#include <gtest/gtest.h>

namespace keyturn::api {
namespace {

TEST(Loopback, IsLocalhostAndItsAddresses) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.255.254", "::1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
}

TEST(Loopback, IsNoNameThatLooksLikeOne) {
  for (const char* host : {"", "127", "127.", "127.0.0", "127.0.0.", "127..0.1", "127.0.0.1.", "127.0.0.1.example.com", "127.0.0.1111",
                           "127.evil.example.com", "128.0.0.1", "localhost.example.com", "0.0.0.0", "::", "10.0.0.1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(Loopback, FindsTheHostOfANode) {
  EXPECT_EQ(host_of_node("redis.dev.internal:6379"), "redis.dev.internal");
  EXPECT_EQ(host_of_node("127.0.0.1:6379"), "127.0.0.1");
  EXPECT_EQ(host_of_node("[::1]:6379"), "::1");
}

}  // namespace
}  // namespace keyturn::api
