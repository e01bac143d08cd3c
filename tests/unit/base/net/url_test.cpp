#include "base/net/url.h"

#include <gtest/gtest.h>

namespace keyturn::net {
namespace {

TEST(Url, IsTakenApart) {
  const auto url = Url::parse("https://Vault.Example.COM:8443/secrets/a%20b?api-version=7.4");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin.scheme, "https");
  EXPECT_EQ(url->origin.host, "vault.example.com");
  EXPECT_EQ(url->origin.port, 8443);
  EXPECT_EQ(url->target, "/secrets/a%20b?api-version=7.4");
  EXPECT_EQ(url->origin.authority(), "vault.example.com:8443");
}

TEST(Url, HasDefaults) {
  const auto url = Url::parse("https://example.com");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin.port, 443);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url->origin.authority(), "example.com");
  EXPECT_EQ(Url::parse("https://example.com?a=b")->target, "/?a=b");
  EXPECT_EQ(Url::parse("https://example.com:443/")->origin, url->origin);
}

TEST(Url, TakesAddresses) {
  EXPECT_EQ(Url::parse("https://10.1.2.3/x")->origin.host, "10.1.2.3");
  const auto v6 = Url::parse("https://[2001:DB8::1]:6443/x");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->origin.host, "2001:db8::1");
  EXPECT_EQ(v6->origin.authority(), "[2001:db8::1]:6443");
}

TEST(Url, AllowsPlainHttpToLoopbackOnly) {
  for (const char* text : {"http://127.0.0.1:8080/", "http://127.9.9.9/", "http://localhost:1/", "http://[::1]:80/"})
    EXPECT_TRUE(Url::parse(text)) << text;
  for (const char* text : {"http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "http://[::2]/", "http://0.0.0.0/",
                           "http://169.254.169.254/metadata"})
    EXPECT_FALSE(Url::parse(text)) << text;
}

TEST(Url, RefusesWhatItDoesNotMean) {
  for (const char* text : {"",
                           "example.com",
                           "//example.com/",
                           "ftp://example.com/",
                           "HTTPS://example.com/",
                           "https:///x",
                           "https://",
                           "https://user@example.com/",
                           "https://user:pass@example.com/",
                           "https://example.com/#part",
                           "https://example.com#part",
                           "https://example.com:0/",
                           "https://example.com:65536/",
                           "https://example.com:/",
                           "https://example.com:12x/",
                           "https://example.com:+1/",
                           "https://[::1/",
                           "https://[::1]x/",
                           "https://::1/",
                           "https://[10.0.0.1]/",
                           "https://[::1%eth0]/",
                           "https://a b/",
                           "https://example.com/a b",
                           "https://example.com/\r\nX: y",
                           "https://example.com/\x01",
                           "https://ex\xC3\xA4mple.com/",
                           "https://-a.com/",
                           "https://a-.com/",
                           "https://a..com/",
                           "https://.com/",
                           "https://a.com./",
                           "https://a%2eb/",
                           "https://example.com\\@evil.com/",
                           "https://a:b:1/"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::Invalid);
  }
}

// The C library's resolver reads all of these as addresses.
TEST(Url, RefusesAddressesInDisguise) {
  for (const char* text : {"https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0x7f000001/", "https://0177.0.0.1/",
                           "https://1.2.3/", "https://example.1/", "https://1.2.3.4.5/", "https://256.1.1.1/"})
    EXPECT_FALSE(Url::parse(text)) << text;
}

TEST(Url, RefusesWhatIsTooLong) {
  EXPECT_FALSE(Url::parse("https://example.com/" + std::string(10'000, 'a')));
  EXPECT_FALSE(Url::parse("https://" + std::string(64, 'a') + ".com/"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "abc.";
  EXPECT_FALSE(Url::parse("https://" + many + "com/"));
}

}  // namespace
}  // namespace keyturn::net
