#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/hash.h"
#include "controller/embedded/open_api_v2.h"
#include "controller/embedded/protobuf.h"
#include "controller/embedded/protobuf_bodies.h"
#include "tests/support/seeded_random.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

// As kubectl sends it for `auth can-i get /healthz`.
std::string recorded_review() {
  std::string body = *from_hex("6b3873000a320a17");
  body += "authorization.k8s.io/v1";
  body += *from_hex("1217");
  body += "SelfSubjectAccessReview";
  body += *from_hex("122f0a100a0012001a0022002a003200380042001211120f0a08");
  body += "/healthz";
  body += *from_hex("1203");
  body += "get";
  body += *from_hex("1a08080012001a0020001a002200");
  return body;
}

std::string envelope(std::string_view version, std::string_view kind, std::string_view raw) {
  const std::string types = ProtoWriter().text(1, version).text(2, kind).bytes();
  return std::string("k8s\0", 4) + ProtoWriter().text(1, types).text(2, raw).bytes();
}

TEST(ProtobufBodies, ReadWhatKubectlSends) {
  const std::optional<json::object> read = read_protobuf_body(recorded_review());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("spec"), json::parse(R"({"nonResourceAttributes":{"path":"/healthz","verb":"get"}})"));
  EXPECT_EQ(read->at("kind"), "SelfSubjectAccessReview");
}

TEST(ProtobufBodies, ReadResourceAttributesAndNamespaces) {
  const std::string attributes = ProtoWriter()
                                     .text(1, "team-b")
                                     .text(2, "update")
                                     .text(3, "keyturn.dev")
                                     .text(4, "")
                                     .text(5, "secretrotations")
                                     .text(6, "status")
                                     .text(7, "db")
                                     .bytes();
  const std::string review = ProtoWriter().text(2, ProtoWriter().text(1, attributes).bytes()).bytes();
  EXPECT_EQ(
      read_protobuf_body(envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview", review))->at("spec"),
      json::parse(
          R"({"resourceAttributes":{"namespace":"team-b","verb":"update","group":"keyturn.dev","resource":"secretrotations","subresource":"status","name":"db"}})"));
  const std::string label = ProtoWriter().text(1, "a").text(2, "b").bytes();
  const std::string ns = ProtoWriter().text(1, ProtoWriter().text(1, "team").text(11, label).bytes()).bytes();
  EXPECT_EQ(read_protobuf_body(envelope("v1", "Namespace", ns))->at("metadata"), json::parse(R"({"name":"team","labels":{"a":"b"}})"));
}

TEST(ProtobufBodies, RefuseOtherKindsAndSurviveEveryCutAndFlip) {
  EXPECT_FALSE(read_protobuf_body(envelope("v1", "Pod", "")));
  EXPECT_FALSE(read_protobuf_body("{}"));
  EXPECT_FALSE(read_protobuf_body(""));
  const std::string whole = recorded_review();
  for (std::size_t length = 0; length < whole.size(); ++length) (void)read_protobuf_body(whole.substr(0, length));
  SeededRandom random(11);
  for (int round = 0; round < 5'000; ++round) {
    std::string broken = whole;
    for (int flips = 0; flips < 3; ++flips)
      broken[4 + random.below(static_cast<std::uint32_t>(broken.size() - 4))] = static_cast<char>(random.below(256));
    (void)read_protobuf_body(broken);
  }
}

TEST(ProtobufReader, StopsAtNonsense) {
  for (const char* hex : {"00", "08", "0aff", "0affffffffffffffffff7f", "0b", "08ffffffffffffffffffffff01", "3900"}) {
    const std::string bytes = *from_hex(hex);
    ProtoReader reader(bytes);
    while (reader.next()) {
    }
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

// Every definition of the JSON document is in the message, under field 9, with its name.
TEST(OpenApiV2, HasTheSameDefinitionsInBothForms) {
  std::vector<std::string> names;
  ProtoReader document(open_api_v2_protobuf());
  while (document.next()) {
    if (document.field() != 9) continue;
    ProtoReader definitions(document.bytes());
    while (definitions.next()) {
      ProtoReader named(definitions.bytes());
      ASSERT_TRUE(named.next());
      names.emplace_back(named.bytes());
    }
    EXPECT_TRUE(definitions.ok());
  }
  EXPECT_TRUE(document.ok());
  std::vector<std::string> expected;
  for (const auto& [name, schema] : open_api_v2().at("definitions").as_object()) expected.emplace_back(name);
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace keyturn::embedded
