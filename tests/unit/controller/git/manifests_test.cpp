#include "controller/embedded/git/manifests.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace keyturn::git {
namespace {

Manifests read(std::string_view text, const std::string& path = "a.yaml") {
  Manifests out;
  read_manifests(path, text, out);
  return out;
}

std::string rotation(const std::string& name, const std::string& more = "") {
  return "apiVersion: keyturn.dev/v1alpha1\nkind: SecretRotation\nmetadata:\n  name: " + name + "\n  namespace: erp-dev\n" + more;
}

TEST(Manifests, AreYamlOrJsonFiles) {
  EXPECT_TRUE(is_manifest_name("a.yaml"));
  EXPECT_TRUE(is_manifest_name("a.yml"));
  EXPECT_TRUE(is_manifest_name("a.json"));
  EXPECT_FALSE(is_manifest_name("a.md"));
  EXPECT_FALSE(is_manifest_name("yaml"));
}

TEST(Manifests, HoldOneOrSeveralDocuments) {
  const Manifests two = read("# a comment\n---\n" + rotation("a") + "---   \n" + rotation("b") + "--- # the end\n# nothing\n");
  EXPECT_TRUE(two.problems.empty());
  ASSERT_EQ(two.objects.size(), 2u);
  EXPECT_EQ(identity_of(two.objects[1].body), (ObjectIdentity{"keyturn.dev/v1alpha1", "SecretRotation", {"erp-dev", "b"}}));
  EXPECT_EQ(two.objects[1].path, "a.yaml");
  EXPECT_EQ(read(rotation("a") + "\r\n---\r\n" + rotation("b")).objects.size(), 2u);
  EXPECT_TRUE(read("").objects.empty());
  EXPECT_TRUE(read("").problems.empty());
}

TEST(Manifests, TypeValuesAsKubectlDoes) {
  const Manifests one = read(rotation(
      "a", "spec:\n  suspend: yes\n  revision: 2026-10-01\n  length: 32\n  word: \"32\"\n  start: 02:00\n  none: ~\n  half: 0.5\n"));
  ASSERT_EQ(one.objects.size(), 1u);
  EXPECT_EQ(boost::json::serialize(one.objects[0].body.at("spec")),
            R"({"suspend":true,"revision":"2026-10-01","length":32,"word":"32","start":"02:00","none":null,"half":5E-1})");
}

TEST(Manifests, OneBrokenDocumentDoesNotHideTheOthers) {
  const Manifests mixed = read(rotation("a") + "---\nkind: [unclosed\n---\n" + rotation("b") + "---\njust text\n");
  EXPECT_EQ(mixed.objects.size(), 2u);
  ASSERT_EQ(mixed.problems.size(), 2u);
  EXPECT_TRUE(mixed.problems[0].starts_with("a.yaml, document 2: ")) << mixed.problems[0];
  EXPECT_EQ(mixed.problems[1], "a.yaml, document 4: is not an object");
}

TEST(Manifests, KeepSeparatorsInsideOfText) {
  const Manifests one = read(rotation("a", "note: |\n  one\n  ---\n  two\nother: ---x\n"));
  EXPECT_TRUE(one.problems.empty());
  ASSERT_EQ(one.objects.size(), 1u);
  EXPECT_EQ(one.objects[0].body.at("note"), "one\n---\ntwo\n");
}

TEST(Manifests, SayWhatIsMissing) {
  for (const std::string text :
       {"kind: A\nmetadata: {name: x}", "apiVersion: v1\nmetadata: {name: x}", "apiVersion: v1\nkind: A\nmetadata: {}",
        "apiVersion: v1\nkind: A", "apiVersion: v1\nkind: A\nmetadata: text"}) {
    const Manifests none = read(text);
    EXPECT_TRUE(none.objects.empty());
    EXPECT_EQ(none.problems, std::vector<std::string>{"a.yaml: apiVersion, kind and metadata.name are needed"}) << text;
  }
}

TEST(Manifests, ReadJsonStrictly) {
  const std::string good = R"({"apiVersion":"v1","kind":"A","metadata":{"name":"x"}})";
  EXPECT_EQ(read(good, "a.json").objects.size(), 1u);
  EXPECT_TRUE(read(good + "x", "a.json").problems.front().starts_with("a.json: is not valid JSON"));
  EXPECT_EQ(read(R"({"apiVersion":"v1","kind":"A","kind":"B","metadata":{"name":"x"}})", "a.json").problems.front(),
            "a.json: a field stands twice: kind");
}

TEST(Manifests, PassOverFilesForKustomize) {
  const Manifests none = read("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n");
  EXPECT_TRUE(none.objects.empty());
  EXPECT_TRUE(none.problems.empty());
}

TEST(Manifests, AListStandsForItsItems) {
  const Manifests list =
      read("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: x}\n- text\n- {kind: List, items: []}\n");
  EXPECT_EQ(list.objects.size(), 1u);
  EXPECT_EQ(list.problems, (std::vector<std::string>{"a.yaml: is not an object", "a.yaml: a List holds a List"}));
}

TEST(Manifests, OfTwoOfOneObjectTheFirstCounts) {
  Manifests both;
  read_manifests("a.yaml", rotation("same", "spec: {revision: first}\n"), both);
  read_manifests("b.yaml", rotation("same", "spec: {revision: second}\n") + "---\n" + rotation("other"), both);
  drop_duplicates(both);
  ASSERT_EQ(both.objects.size(), 2u);
  EXPECT_EQ(both.objects[0].body.at("spec").at("revision"), "first");
  EXPECT_EQ(both.problems, std::vector<std::string>{"b.yaml: SecretRotation erp-dev/same is also in another manifest"});
}

}  // namespace
}  // namespace keyturn::git
