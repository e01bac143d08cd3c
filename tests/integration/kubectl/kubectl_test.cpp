// What kubectl users see: exit codes and output of real kubectl against the embedded API server, over TLS, on a store in memory.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace keyturn {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) parts.push_back(part);
  return parts;
}

// Absent kubectl fails the test run: a suite that silently tests nothing is worse than none.
std::vector<std::string> kubectls() {
  if (const char* listed = std::getenv("KEYTURN_KUBECTL")) return split(listed);
  const char* path = std::getenv("PATH");
  for (const std::string& directory : split(path ? path : ""))
    if (std::filesystem::exists(directory + "/kubectl")) return {directory + "/kubectl"};
  throw std::runtime_error("no kubectl: install one or set KEYTURN_KUBECTL to a list of binaries");
}

struct Outcome {
  int code = 0;
  std::string output;
};

const std::string manifest = R"(apiVersion: keyturn.dev/v1alpha1
kind: SecretRotation
metadata: {name: db, namespace: default}
spec:
  environmentRef: {name: dev}
  revision: r1
  secret: {vaults: [main], name: Db--Password, format: {type: AdoNetConnectionString, passwordField: Password, userField: User Id}}
  generator: {type: Password, length: 32}
  dependents: [{system: sql, principals: [a, b]}]
  consumers: [{name: app, reload: Restart}]
)";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = manifest;
  text.replace(text.find(from), from.size(), to);
  return text;
}

class Kubectl : public testing::TestWithParam<std::string> {
 protected:
  Kubectl() : server_({API_SERVER, directory_.path().string()}, directory_.path()) {
    if (!server_.wait_for_output("serving on")) throw std::runtime_error("the API server did not start: " + server_.output());
  }

  std::string file(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_.path() / name;
    write_file(path, text);
    return path.string();
  }

  // The arguments of `env` before kubectl: the client finds only what belongs to this test.
  std::vector<std::string> command(const std::vector<std::string>& arguments, const std::string& role = "") {
    const std::string home = directory_.path().string();
    std::vector<std::string> all{"/usr/bin/env", "HOME=" + home, "KUBECONFIG=" + home + "/kubeconfig" + role, "KUBE_EDITOR=" + editor_,
                                 GetParam()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  Outcome run(const std::vector<std::string>& arguments, const std::string& role = "") {
    ChildProcess child(command(arguments, role), directory_.path());
    const int code = child.wait();
    child.wait_for_output("the end of the output");  // returns when the pipe closes
    return {code, child.output()};
  }

  void expect(const std::vector<std::string>& arguments, int code, const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << testing::PrintToString(arguments) << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(part), std::string::npos) << testing::PrintToString(arguments) << "\n" << outcome.output;
  }

  TemporaryDirectory directory_;
  std::string editor_ = "true";
  ChildProcess server_;
};

TEST_P(Kubectl, AppliesCreatesThenChangesThenFindsNothingToDo) {
  const std::string first = file("first.yaml", manifest);
  const std::string second = file("second.yaml", changed("r1", "r2"));
  expect({"apply", "-f", first}, 0, "secretrotation.keyturn.dev/db created");
  expect({"apply", "-f", first}, 0, "secretrotation.keyturn.dev/db unchanged");
  expect({"apply", "-f", second}, 0, "secretrotation.keyturn.dev/db configured");
  expect({"get", "srot", "db", "-o", "jsonpath={.spec.revision} {.metadata.generation}"}, 0, "r2 2");
  expect({"apply", "-f", first, "--dry-run=server"}, 0, "configured (server dry run)");
  expect({"create", "-f", first}, 1, "secretrotations.keyturn.dev \"db\" already exists");
  expect({"replace", "-f", first}, 0, "secretrotation.keyturn.dev/db replaced");
}

TEST_P(Kubectl, RefusesUnknownFieldsAndBadValues) {
  expect({"apply", "-f", file("typo.yaml", changed("length: 32", "length: 32, typo: 1"))}, 1, "unknown field");
  expect({"apply", "-f", file("short.yaml", changed("length: 32", "length: 3"))}, 1, "should be greater than or equal to 16");
  expect({"apply", "-f", file("elsewhere.yaml", changed("namespace: default", "namespace: nope"))}, 1, "namespaces \"nope\" not found");
}

TEST_P(Kubectl, ShowsDifferences) {
  const std::string first = file("first.yaml", manifest);
  expect({"apply", "-f", first}, 0, "created");
  expect({"diff", "-f", first}, 0, "");
  expect({"diff", "-f", file("second.yaml", changed("r1", "r2"))}, 1, "+  revision: r2");
}

TEST_P(Kubectl, GetsTablesYamlAndSelections) {
  expect({"apply", "-f", file("first.yaml", manifest)}, 0, "created");
  expect({"get", "srot"}, 0, "NAME   READY   REASON   WANTED");
  expect({"get", "secretrotations", "-A", "-o", "wide"}, 0, "ENVIRONMENT");
  expect({"get", "srot", "db", "-o", "yaml"}, 0, "revision: r1");
  expect({"get", "srot", "-o", "name"}, 0, "secretrotation.keyturn.dev/db");
  expect({"label", "srot", "db", "team=a"}, 0, "labeled");
  expect({"annotate", "srot", "db", "note=b"}, 0, "annotated");
  expect({"get", "srot", "-l", "team=a", "-o", "name"}, 0, "db");
  expect({"get", "srot", "-l", "team!=a"}, 0, "No resources found");
  expect({"get", "srot", "--field-selector", "spec.revision=r1", "-o", "name"}, 0, "db");
  expect({"get", "srot", "nope"}, 1, "Error from server (NotFound): secretrotations.keyturn.dev \"nope\" not found");
  expect({"get", "ns"}, 0, "keyturn-system");
}

TEST_P(Kubectl, ExplainsAndLists) {
  expect({"explain", "srot.spec.generator"}, 0, "length");
  expect({"explain", "renv"}, 0, "RotationEnvironment");
  expect({"api-resources"}, 0, "secretrotations");
  expect({"api-versions"}, 0, "keyturn.dev/v1alpha1");
  expect({"version"}, 0, "v1.36.0+keyturn.1");
}

TEST_P(Kubectl, DescribesWithEvents) {
  expect({"apply", "-f", file("first.yaml", manifest)}, 0, "created");
  const std::string uid = run({"get", "srot", "db", "-o", "jsonpath={.metadata.uid}"}).output;
  const std::string event =
      "apiVersion: v1\nkind: Event\nmetadata: {name: db.1, namespace: default}\nreason: RotationStarted\ntype: Normal\nmessage: minted "
      "r1.1\n"
      "involvedObject: {apiVersion: keyturn.dev/v1alpha1, kind: SecretRotation, name: db, namespace: default, uid: " +
      uid + "}\nsource: {component: keyturn}\n";
  expect({"create", "-f", file("event.yaml", event)}, 0, "created");
  expect({"describe", "srot", "db"}, 0, "minted r1.1");
  expect({"get", "events"}, 0, "secretrotation/db");
}

TEST_P(Kubectl, PatchesAndEdits) {
  expect({"apply", "-f", file("first.yaml", manifest)}, 0, "created");
  expect({"patch", "srot", "db", "--type", "merge", "-p", R"({"spec":{"suspend":true}})"}, 0, "patched");
  expect({"patch", "srot", "db", "--type", "json", "-p", R"([{"op":"replace","path":"/spec/suspend","value":false}])"}, 0, "patched");
  expect({"patch", "srot", "db", "-p", "{}"}, 1, "application/");  // in kubectl's words or, from an older one, in the server's
  editor_ = "sed -i s/revision:.*/revision:\\ r9/";
  expect({"edit", "srot", "db"}, 0, "edited");
  expect({"get", "srot", "db", "-o", "jsonpath={.spec.revision}"}, 0, "r9");
  editor_ = "true";
  expect({"edit", "srot", "db"}, 0, "Edit cancelled, no changes made.");
}

TEST_P(Kubectl, AppliesOnTheServerAndShowsConflicts) {
  const std::string first = file("first.yaml", manifest);
  const std::string second = file("second.yaml", changed("r1", "r2"));
  expect({"apply", "--server-side", "--field-manager=git", "-f", first}, 0, "serverside-applied");
  expect({"apply", "--server-side", "--field-manager=human", "-f", second}, 1, "conflict with \"git\"");
  expect({"apply", "--server-side", "--field-manager=human", "--force-conflicts", "-f", second}, 0, "serverside-applied");
}

TEST_P(Kubectl, DeletesAndWaitsForFinalizers) {
  const std::string first = file("first.yaml", manifest);
  expect({"apply", "-f", first}, 0, "created");
  expect({"delete", "srot", "db"}, 0, "secretrotation.keyturn.dev \"db\" deleted");
  expect({"delete", "srot", "db"}, 1, "NotFound");
  expect({"apply", "-f", file("held.yaml", changed("name: db,", "name: db, finalizers: [keyturn.dev/cleanup],"))}, 0, "created");
  ChildProcess deletion(command({"delete", "srot", "db"}), directory_.path());
  ASSERT_TRUE(deletion.wait_for_output("deleted"));
  expect({"patch", "srot", "db", "--type", "merge", "-p", R"({"metadata":{"finalizers":null}})"}, 0, "patched");
  EXPECT_EQ(deletion.wait(), 0);
  expect({"create", "ns", "team"}, 0, "namespace/team created");
  expect({"delete", "ns", "team"}, 0, "namespace \"team\" deleted");
}

TEST_P(Kubectl, FollowsChangesOfOneObjectAndWaitsForConditions) {
  expect({"wait", "--for=condition=Established", "crd/secretrotations.keyturn.dev", "--timeout=30s"}, 0, "condition met");
  expect({"apply", "-f", file("first.yaml", manifest)}, 0, "created");
  expect({"wait", "--for=condition=Ready", "srot/db", "--timeout=0s"}, 1, "");
  ChildProcess following(command({"get", "srot", "db", "-w"}), directory_.path());
  ASSERT_TRUE(following.wait_for_output("db "));
  // Only a printed row says that a watch began, so that the change is repeated until the client shows one.
  bool seen = false;
  for (int i = 0; i < 50 && !seen; ++i) {
    expect({"patch", "srot", "db", "--type", "merge", "-p", R"({"spec":{"revision":"n)" + std::to_string(i) + R"("}})"}, 0, "patched");
    seen = following.output().find("n" + std::to_string(i > 0 ? i - 1 : 0) + " ") != std::string::npos;
  }
  EXPECT_TRUE(seen) << following.output();
}

TEST_P(Kubectl, KnowsItsUserAndItsRights) {
  expect({"auth", "can-i", "delete", "srot"}, 0, "yes");
  EXPECT_EQ(run({"auth", "can-i", "delete", "srot"}, "-view").code, 1);
  const Outcome denied = run({"delete", "srot", "db"}, "-view");
  EXPECT_NE(denied.output.find("User \"view-user\" cannot delete resource \"secretrotations\""), std::string::npos) << denied.output;
}

TEST_P(Kubectl, FindsTheDefinitionsOfTheManifestsUnchanged) {
  const char* source = std::getenv("KEYTURN_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  const std::string path = std::string(source) + "/manifests/crd/keyturn.dev_secretrotations.yaml";
  expect({"apply", "-f", path}, 0, "customresourcedefinition.apiextensions.k8s.io/secretrotations.keyturn.dev unchanged");
}

INSTANTIATE_TEST_SUITE_P(Clients, Kubectl, testing::ValuesIn(kubectls()),
                         [](const testing::TestParamInfo<std::string>& info) { return "Client" + std::to_string(info.index); });

}  // namespace
}  // namespace keyturn
