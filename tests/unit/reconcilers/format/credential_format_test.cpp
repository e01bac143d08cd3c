#include "reconcilers/rotation/credential_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <vector>

#include "tests/support/seeded_random.h"

namespace keyturn {
namespace {

using api::FormatType;
using api::SecretFormat;

std::string plain(const Secret& secret) {
  return secret.expose([](std::string_view bytes) { return std::string(bytes); });
}
Secret secret(std::string_view text) { return Secret::copy_of(text); }

std::string rendered(const SecretFormat& format, std::string_view current, std::string_view principal, std::string_view password) {
  const auto out = render(format, secret(current), principal, secret(password));
  return out ? plain(*out) : "refused: " + out.error().message;
}

// "user|password", or the refusal.
std::string extracted(const SecretFormat& format, std::string_view text, std::string_view default_principal = "") {
  const auto login = extract(format, secret(text), default_principal);
  return login ? login->principal + "|" + plain(login->password) : "refused: " + login.error().message;
}

const SecretFormat opaque{};
const SecretFormat url{FormatType::Url, "", ""};
const SecretFormat ado{FormatType::AdoNetConnectionString, "Password", "User ID"};
const SecretFormat ado_password_only{FormatType::AdoNetConnectionString, "Password", ""};
const SecretFormat document{FormatType::Json, "/db/password", "/db/user"};
const SecretFormat document_password_only{FormatType::Json, "/password", ""};

// ---- Opaque ----

TEST(OpaqueFormat, IsThePasswordItself) {
  EXPECT_EQ(extracted(opaque, "s3cret", "app"), "app|s3cret");
  EXPECT_EQ(rendered(opaque, "whatever", "app", "n3w"), "n3w");
  EXPECT_EQ(rendered(opaque, "", "app", "n3w"), "n3w");
}

TEST(OpaqueFormat, RefusesNothingAndTooMuch) {
  EXPECT_EQ(extracted(opaque, ""), "refused: the value is empty");
  EXPECT_EQ(rendered(opaque, "x", "app", ""), "refused: an empty password is refused");
  EXPECT_EQ(rendered(opaque, "x", "app", std::string(rendered_bytes_max + 1, 'a')), "refused: the value is too large");
  EXPECT_EQ(extracted(opaque, std::string(rendered_bytes_max + 1, 'a')), "refused: the value is too large");
}

// ---- URL ----

TEST(UrlFormat, ReadsTheUserInformation) {
  EXPECT_EQ(extracted(url, "postgres://app:p%40ss%2F1@db.example:5432/erp?sslmode=verify-full"), "app|p@ss/1");
  EXPECT_EQ(extracted(url, "redis://:only@cache:6380/0", "default"), "default|only");
  EXPECT_EQ(extracted(url, "mongodb://u:p@h1,h2/x"), "u|p");
  EXPECT_EQ(extracted(url, "amqp://u:a:b@h/"), "u|a:b");
  EXPECT_EQ(extracted(url, "amqp://u:a@b@h/"), "u|a@b");
}

TEST(UrlFormat, ChangesTheUserInformationOnly) {
  EXPECT_EQ(rendered(url, "postgres://app_a:old@db:5432/erp?sslmode=verify-full#x", "app_b", "a-b_c.d~e"),
            "postgres://app_b:a-b_c.d~e@db:5432/erp?sslmode=verify-full#x");
  EXPECT_EQ(rendered(url, "redis://:old@cache:6380/0", "default", "new"), "redis://:new@cache:6380/0");
  EXPECT_EQ(rendered(url, "redis://:old@cache:6380/0", "app", "new"), "redis://app:new@cache:6380/0");
}

TEST(UrlFormat, EncodesWhatWouldBeSyntax) {
  EXPECT_EQ(rendered(url, "postgres://app:old@db/erp", "app", "a@b:c/d?e#f%g h"), "postgres://app:a%40b%3Ac%2Fd%3Fe%23f%25g%20h@db/erp");
}

TEST(UrlFormat, RefusesWhatHasNoPassword) {
  EXPECT_EQ(extracted(url, "just text"), "refused: the value is not a URL");
  EXPECT_EQ(extracted(url, "://u:p@h"), "refused: the value is not a URL");
  EXPECT_EQ(extracted(url, "https://host/path@x"), "refused: the URL has no user information");
  EXPECT_EQ(extracted(url, "https://user@host/"), "refused: the URL has no password");
  EXPECT_EQ(extracted(url, "https://user:%zz@host/"), "refused: the URL has a broken percent-encoding");
  EXPECT_EQ(extracted(url, "https://user:%4@host/"), "refused: the URL has a broken percent-encoding");
  EXPECT_EQ(rendered(url, "", "app", "new"), "refused: there is no current value to edit");
  EXPECT_EQ(rendered(url, "postgres://app:old@db/erp", "", "new"), "refused: the format holds a user, and none is given");
}

// ---- ADO.NET ----

TEST(AdoNetFormat, ReadsKeysInAnyCaseAndSpelling) {
  EXPECT_EQ(extracted(ado, "Server=db;Database=erp;User ID=app;Password=s3cret;Encrypt=True"), "app|s3cret");
  EXPECT_EQ(extracted(ado, "server=db;UID=app;PWD=s3cret"), "app|s3cret");
  EXPECT_EQ(extracted(ado, "Host=db;Username=app;password = s3cret ;"), "app|s3cret");
  EXPECT_EQ(extracted(ado, ";;User Id=app; ;Pwd=s3cret;;"), "app|s3cret");
}

TEST(AdoNetFormat, ReadsQuotedValues) {
  EXPECT_EQ(extracted(ado, R"(User ID=app;Password="a;b""c=d")"), "app|a;b\"c=d");
  EXPECT_EQ(extracted(ado, R"(User ID=app;Password='a;b''c"d' ;Server=x)"), "app|a;b'c\"d");
  EXPECT_EQ(extracted(ado, "User ID=app;Password=a b;"), "app|a b");
}

TEST(AdoNetFormat, KeepsEverythingElse) {
  EXPECT_EQ(
      rendered(ado, "Server=tcp:db,1433 ; Database = erp;User ID = app_a ;Password= old;Encrypt=True;Unknown Key=1;;", "app_b", "n-e_w"),
      "Server=tcp:db,1433 ; Database = erp;User ID = app_b ;Password= n-e_w;Encrypt=True;Unknown Key=1;;");
  EXPECT_EQ(rendered(ado, "Pwd=old;Uid=app_a", "app_b", "new"), "Pwd=new;Uid=app_b");
  EXPECT_EQ(rendered(ado_password_only, "User ID=app@server;Password=old", "app", "new"), "User ID=app@server;Password=new");
}

TEST(AdoNetFormat, QuotesWhatWouldBeSyntax) {
  EXPECT_EQ(rendered(ado, "User ID=app;Password=old;Server=x", "app", "a;Server=evil"), R"(User ID=app;Password="a;Server=evil";Server=x)");
  EXPECT_EQ(rendered(ado, "User ID=app;Password=old", "app", R"(a"b'c)"), R"(User ID=app;Password="a""b'c")");
  EXPECT_EQ(rendered(ado, "User ID=app;Password='o;ld';Server=x", "app", "plain"), "User ID=app;Password=plain;Server=x");
}

TEST(AdoNetFormat, EveryValueComesBackAsItWasPutIn) {
  for (const std::string value : {"'", "\"", ";", "=", " lead", "trail ", "{x}", "''", "\"\"", "a=b;c='d';\"e\"", "~.-_"}) {
    const std::string text = rendered(ado, "User ID=app;Password=old;Server=x", "app", value);
    EXPECT_EQ(extracted(ado, text), "app|" + value);
  }
}

TEST(AdoNetFormat, RefusesWhatIsNotCertain) {
  EXPECT_EQ(extracted(ado, "User ID=app;Password=a;PWD=b"), "refused: the connection string has the field twice");
  EXPECT_EQ(extracted(ado, "User ID=app;UID=app;Password=a"), "refused: the connection string has the field twice");
  EXPECT_EQ(extracted(ado, "User ID=app;Server=x"), "refused: the connection string has no password");
  EXPECT_EQ(extracted(ado, "Password=a;Server=x"), "refused: the connection string has no user");
  for (const std::string broken : {"Password", "Password=\"open", "Password='a'b", "=x", "Password=a\";", "Pass\nword=x",
                                   "Password=a\x01"
                                   "b"})
    EXPECT_EQ(extracted(ado_password_only, broken), "refused: the connection string does not parse") << broken;
  EXPECT_EQ(rendered(ado, "User ID=app;Password=old", "app", "line\nbreak"),
            "refused: a connection string cannot hold a control character");
}

TEST(AdoNetFormat, UsesAFieldOfAnotherName) {
  const SecretFormat key{FormatType::AdoNetConnectionString, "AccountKey", ""};
  EXPECT_EQ(rendered(key, "AccountName=x;AccountKey=\"abc==\";EndpointSuffix=y", "", "new"),
            "AccountName=x;AccountKey=new;EndpointSuffix=y");
  EXPECT_EQ(extracted(key, "AccountName=x;accountkey=abc==;EndpointSuffix=y", "x"), "x|abc==");
}

TEST(AdoNetFormat, ReadsADoubledEqualsSignAsPartOfTheKey) {
  const SecretFormat odd{FormatType::AdoNetConnectionString, "pass=word", ""};
  EXPECT_EQ(extracted(odd, "pass==word=x", "app"), "app|x");
}

// ---- JSON ----

TEST(JsonFormat, ChangesTheMembersOnly) {
  const std::string before =
      "{ \"db\" : {\"user\":\"app_a\", \"password\":\"old\\n\\u00e9\", \"n\": 1.50e+2},\n \"list\":[1, {\"password\":\"x\"}] }";
  EXPECT_EQ(extracted(document, before), "app_a|old\n\xC3\xA9");
  EXPECT_EQ(rendered(document, before, "app_b", "n\"e\\w"),
            "{ \"db\" : {\"user\":\"app_b\", \"password\":\"n\\\"e\\\\w\", \"n\": 1.50e+2},\n \"list\":[1, {\"password\":\"x\"}] }");
}

TEST(JsonFormat, FollowsPointersThroughArraysAndEscapes) {
  EXPECT_EQ(extracted({FormatType::Json, "/a~1b/1/c~0d", ""}, R"({"a/b":[0,{"c~d":"x"}]})", "app"), "app|x");
  EXPECT_EQ(extracted({FormatType::Json, "/key", ""}, R"({"\u006bey":"x"})", "app"), "app|x");
}

TEST(JsonFormat, DecodesSurrogatePairs) {
  EXPECT_EQ(extracted(document_password_only, R"({"password":"\ud83d\udd11"})", "app"), "app|\xF0\x9F\x94\x91");
  EXPECT_EQ(extracted(document_password_only, R"({"password":"\ud83d"})", "app"), "refused: the JSON string has half of a surrogate pair");
  EXPECT_EQ(extracted(document_password_only, R"({"password":"\udd11x"})", "app"), "refused: the JSON string has half of a surrogate pair");
}

TEST(JsonFormat, RefusesWhatIsNotCertain) {
  EXPECT_EQ(extracted(document_password_only, R"({"password":"a","password":"b"})"), "refused: the JSON document has the member twice");
  EXPECT_EQ(extracted(document_password_only, R"({"password":1})"), "refused: the JSON document has no such string");
  EXPECT_EQ(extracted(document_password_only, R"({"other":"a"})"), "refused: the JSON document has no such string");
  EXPECT_EQ(extracted({FormatType::Json, "password", ""}, R"({"password":"a"})"), "refused: a field of the format is not a JSON pointer");
  EXPECT_EQ(extracted({FormatType::Json, "/p", "/p"}, R"({"p":"a"})"), "refused: the user and the password are the same member");
  EXPECT_EQ(rendered(document_password_only, R"({"password":"a"})", "app", "\xFF\xFE"),
            "refused: a JSON document cannot hold a value that is not UTF-8");
}

TEST(JsonFormat, AgreesWithAParserOnWhatIsJson) {
  const std::vector<std::string> texts{R"({"password":"a"})",
                                       R"({"password":"a"} )",
                                       R"({"password":"a"}x)",
                                       R"({"password":"a",})",
                                       R"({"password" "a"})",
                                       R"({password:"a"})",
                                       R"({"password":"a","n":01})",
                                       R"({"password":"a","n":1.})",
                                       R"({"password":"a","n":-0.5E-3})",
                                       R"({"password":"a","n":+1})",
                                       R"({"password":"a","t":tru})",
                                       R"({"password":"a","t":true,"f":false,"z":null})",
                                       "{\"password\":\"a\nb\"}",
                                       R"({"password":"\x"})",
                                       R"({"password":"\u12g4"})",
                                       R"(["password","a"])",
                                       "",
                                       "[",
                                       "{",
                                       R"({"password":"a","l":[1,2,]})",
                                       R"({"password":"a","l":[]})",
                                       R"({"password":"a","o":{}})",
                                       R"({"password":"a)",
                                       "\"x\"",
                                       R"({"password":"a"}})"};
  for (const std::string& text : texts) {
    boost::json::error_code ec;
    boost::json::parse(text, ec);
    const auto login = extract(document_password_only, secret(text), "app");
    if (ec) EXPECT_FALSE(login) << text;
    if (login) EXPECT_FALSE(ec) << text;
  }
}

TEST(JsonFormat, BoundsTheDepth) {
  const std::string deep = R"({"password":"a","d":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
  EXPECT_EQ(extracted(document_password_only, deep), "refused: the value is not valid JSON");
}

// ---- all formats ----

struct Sample {
  SecretFormat format;
  std::string text;
};

// Cuts and changes a valid value at random: whatever comes out is either refused, or the edit reads back and undoes itself.
TEST(CredentialFormat, EitherRefusesOrEditsExactly) {
  const std::vector<Sample> samples{
      {url, "postgres://app_a:old@db:5432/erp?x=y"},
      {ado, "Server=tcp:db,1433;User ID=app_a;Password=\"o;l\"\"d\";Encrypt=True"},
      {document, R"({"db":{"user":"app_a","password":"o\u006cd"},"n":[1,2,{"x":null}]})"},
  };
  const std::string noise =
      "\"';=:/@%{}[]\\,~ \n\x01"
      "aZ0";
  SeededRandom random(20'241);
  int edited = 0;
  for (int round = 0; round < 5'000; ++round) {
    const Sample& sample = samples[random.below(static_cast<std::uint32_t>(samples.size()))];
    std::string text = sample.text;
    for (std::uint32_t changes = random.below(4); changes > 0; --changes) {
      const std::size_t place = random.below(static_cast<std::uint32_t>(text.size()));
      const char c = noise[random.below(static_cast<std::uint32_t>(noise.size()))];
      if (random.below(2) == 0) text[place] = c;
      if (random.below(3) == 0) text.insert(place, 1, c);
      if (random.below(3) == 0 && text.size() > 1) text.erase(place, 1 + random.below(3));
    }
    std::string password;
    for (std::uint32_t n = 1 + random.below(6); n > 0; --n)
      password.push_back(noise[random.below(static_cast<std::uint32_t>(noise.size()))]);
    const auto before = extract(sample.format, secret(text), "nobody");
    const auto after = render(sample.format, secret(text), "app_b", secret(password));
    if (!after) continue;
    ++edited;
    ASSERT_TRUE(before) << text;
    const auto read = extract(sample.format, *after, "nobody");
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->principal, "app_b") << text;
    EXPECT_EQ(plain(read->password), password) << text;
    // What a person once wrote in a way that we never write cannot always be written again.
    const std::string old = before->principal + plain(before->password);
    const bool writable = !before->password.empty() && std::none_of(old.begin(), old.end(), [](char c) { return c > 0 && c < ' '; });
    if (!writable) continue;
    const auto back = render(sample.format, *after, before->principal, before->password);
    ASSERT_TRUE(back) << text << " / " << back.error().message;
  }
  EXPECT_GT(edited, 300);
}

}  // namespace
}  // namespace keyturn
