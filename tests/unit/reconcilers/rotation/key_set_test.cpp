#include "reconcilers/rotation/key_set.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "reconcilers/rotation/credential_format.h"

namespace keyturn {
namespace {

Secret secret(std::string_view text) { return Secret::copy_of(text); }
std::string text_of(const Secret& value) {
  return value.expose([](std::string_view bytes) { return std::string(bytes); });
}

KeySet key_set(std::string_view send, const std::vector<std::string_view>& accept) {
  KeySet keys{secret(send), {}};
  for (const std::string_view key : accept) keys.accept.push_back(secret(key));
  return keys;
}

TEST(KeySet, IsReadFromItsDocument) {
  const auto keys = read_key_set(secret(R"({"send":"new","accept":["old","new"]})"));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(keys->send.equals(secret("new")));
  ASSERT_EQ(keys->accept.size(), 2U);
  EXPECT_TRUE(keys->accept[0].equals(secret("old")));
}

TEST(KeySet, IsReadWhateverTheOrderAndTheSpacesOfTheDocument) {
  const auto keys = read_key_set(secret("{ \"accept\" : [ \"k\" ] ,\n \"send\" : \"k\" }"));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(same_keys(*keys, key_set("k", {"k"})));
}

TEST(KeySet, IsWrittenAndReadBack) {
  const std::string_view awkward[] = {"plain", "with \"quotes\"", "back\\slash", "line\nbreak", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91",
                                      "/~0~1"};
  for (const std::string_view key : awkward) {
    const KeySet keys = key_set(key, {"other", key});
    const auto document = write_key_set(keys);
    ASSERT_TRUE(document) << key;
    const auto read = read_key_set(*document);
    ASSERT_TRUE(read) << key;
    EXPECT_TRUE(same_keys(keys, *read)) << key;
  }
}

TEST(KeySet, IsWrittenAsTheDocumentThatServicesLoad) {
  const auto document = write_key_set(key_set("new", {"new", "old"}));
  ASSERT_TRUE(document);
  EXPECT_EQ(text_of(*document), R"({"send":"new","accept":["new","old"]})");
}

TEST(KeySet, IsRefusedWhenTheDocumentIsNone) {
  const std::string_view bad[] = {"",
                                  "a bare key",
                                  "[]",
                                  "{}",
                                  R"({"send":"k"})",
                                  R"({"accept":["k"]})",
                                  R"({"send":"k","accept":[]})",
                                  R"({"send":"k","accept":"k"})",
                                  R"({"send":"k","accept":["other"]})",
                                  R"({"send":7,"accept":[7]})",
                                  R"({"send":"k","accept":["k"])",
                                  R"({"send":"k","accept":["k","2","3","4","5"]})"};
  for (const std::string_view document : bad) {
    const auto keys = read_key_set(secret(document));
    ASSERT_FALSE(keys) << document;
    EXPECT_EQ(keys.error().code, Errc::Invalid);
    if (!document.empty()) EXPECT_EQ(keys.error().message.find(document), std::string::npos) << "no value in a message";
  }
}

TEST(KeySet, IsTheSameInAnyOrderOfWhatIsAccepted) {
  EXPECT_TRUE(same_keys(key_set("a", {"a", "b"}), key_set("a", {"b", "a"})));
  EXPECT_FALSE(same_keys(key_set("a", {"a", "b"}), key_set("b", {"b", "a"})));
  EXPECT_FALSE(same_keys(key_set("a", {"a", "b"}), key_set("a", {"a"})));
}

const std::string_view old_document = R"({"send":"old","accept":["old"]})";
const std::string_view new_document = R"({"send":"new","accept":["new"]})";

TEST(DocumentOf, GoesFromOldToNewInFourDocuments) {
  const std::pair<Credential, KeySet> rows[] = {{Credential::Old, key_set("old", {"old"})},
                                                {Credential::OldOfBoth, key_set("old", {"old", "new"})},
                                                {Credential::PendingOfBoth, key_set("new", {"new", "old"})},
                                                {Credential::Pending, key_set("new", {"new"})}};
  for (const auto& [content, expected] : rows) {
    const auto document = document_of(content, secret(old_document), secret(new_document));
    ASSERT_TRUE(document);
    const auto keys = read_key_set(*document);
    ASSERT_TRUE(keys);
    EXPECT_TRUE(same_keys(*keys, expected));
    EXPECT_EQ(recognise(*document, secret(old_document), secret(new_document)), published_as(content));
  }
}

TEST(DocumentOf, KeepsEveryKeyThatWasAccepted) {
  const Secret found = secret(R"({"send":"old","accept":["old","older"]})");
  const auto document = document_of(Credential::PendingOfBoth, found, secret(new_document));
  ASSERT_TRUE(document);
  EXPECT_TRUE(same_keys(*read_key_set(*document), key_set("new", {"new", "old", "older"})));
}

TEST(DocumentOf, IsRefusedWhereThereIsNoRoomForAnotherKey) {
  const Secret full = secret(R"({"send":"a","accept":["a","b","c","d"]})");
  EXPECT_TRUE(document_of(Credential::Old, full, secret(new_document)));
  EXPECT_FALSE(document_of(Credential::OldOfBoth, full, secret(new_document)));
  EXPECT_FALSE(document_of(Credential::PendingOfBoth, full, secret(new_document)));
}

TEST(DocumentOf, IsRefusedWhenOneOfTheTwoIsNone) {
  EXPECT_FALSE(document_of(Credential::OldOfBoth, secret("bare"), secret(new_document)));
  EXPECT_FALSE(document_of(Credential::OldOfBoth, secret(old_document), secret("bare")));
}

TEST(Recognise, IsForeignForEveryOtherDocument) {
  for (const std::string_view other : {"bare", R"({"send":"x","accept":["x"]})", R"({"send":"new","accept":["new","x"]})", ""}) {
    EXPECT_EQ(recognise(secret(other), secret(old_document), secret(new_document)), Published::Foreign);
  }
}

TEST(KeySetFormat, IsReadAsTheKeyThatIsSentAndWrittenWithOneKeyAlone) {
  const api::SecretFormat format{api::FormatType::KeySet, {}, {}};
  const auto login = extract(format, secret(R"({"send":"new","accept":["old","new"]})"), "");
  ASSERT_TRUE(login);
  EXPECT_TRUE(login->password.equals(secret("new")));
  const auto rendered = render(format, secret(old_document), "", secret("next"));
  ASSERT_TRUE(rendered);
  EXPECT_EQ(text_of(*rendered), R"({"send":"next","accept":["next"]})");
}

}  // namespace
}  // namespace keyturn
