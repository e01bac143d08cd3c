// The whole CLI against a real gateway on real sockets.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <sstream>

#include "base/hash.h"
#include "cli/run.h"
#include "tests/unit/cli/scratch.h"
#include "tests/unit/controller/server/live_api.h"

namespace keyturn {
namespace {

const ObjectKey redis{"erp-dev", "erp-redis"};

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

// Output whose reader goes away after a number of lines.
class FewLines final : public std::stringbuf {
 public:
  explicit FewLines(int lines) : left_(lines) {}

 protected:
  int sync() override { return --left_ > 0 ? 0 : -1; }

 private:
  int left_;
};

struct EndToEnd : testing::Test, LiveApi {
  Scratch scratch;

  void SetUp() override { ASSERT_TRUE(start_http()); }

  std::string kubeconfig(const std::string& token, const std::string& ca_pem, const std::string& server) {
    return scratch.write("config", "current-context: c\nclusters: [{name: c, cluster: {server: \"" + server +
                                       "\", certificate-authority-data: " + to_base64(ca_pem) + "}}]\nusers: [{name: u, user: {token: " +
                                       token + "}}]\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: erp-dev}}]\n");
  }
  Ran keyturn(std::vector<const char*> words) {
    return keyturn_with(kubeconfig("token-of-ann", tls.ca_pem, http_address()), std::move(words));
  }
  Ran keyturn_with(const std::string& path, std::vector<const char*> words) {
    std::ostringstream out;
    std::ostringstream err;
    words.insert(words.begin(), "keyturn");
    Ran ran;
    const auto arguments = parse_arguments(static_cast<int>(words.size()), words.data(), out, err, ran.code);
    const auto environment = [&path](const std::string& name) {
      return name == "KEYTURN_KUBECONFIG" ? std::optional<std::string>(path) : std::nullopt;
    };
    if (arguments) ran.code = run(*arguments, environment, out, err);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }
};

TEST_F(EndToEnd, StatusListsTheNamespaceOfTheKubeconfig) {
  add(a_rotation(redis));
  add(a_rotation({"erp-stage", "elsewhere"}));
  const Ran ran = keyturn({"status"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("erp-redis"), std::string::npos);
  EXPECT_EQ(ran.out.find("elsewhere"), std::string::npos);
  EXPECT_NE(keyturn({"status", "-A"}).out.find("elsewhere"), std::string::npos);
  EXPECT_NE(keyturn({"status", "-n", "erp-stage"}).out.find("elsewhere"), std::string::npos);
  EXPECT_NE(keyturn({"status", "-o", "wide"}).out.find("RedisConfiguration--Password"), std::string::npos);
}

TEST_F(EndToEnd, StatusSaysWhenThereIsNothing) {
  const Ran ran = keyturn({"status"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "There are no rotations in namespace erp-dev.\n");
  EXPECT_EQ(keyturn({"status", "-A"}).out, "There are no rotations that you may read.\n");
}

TEST_F(EndToEnd, OneRotationItsPlanAndItsHistory) {
  add(a_rotation(redis));
  add(a_run(redis, 1, noon));
  EXPECT_NE(keyturn({"status", "erp-redis"}).out.find("RedisConfiguration--Password (RedisConfiguration:Password)"), std::string::npos);
  EXPECT_NE(keyturn({"plan", "erp-redis"}).out.find("sha256:0123"), std::string::npos);
  EXPECT_NE(keyturn({"history", "erp-redis"}).out.find("fresh login accepted"), std::string::npos);
  for (const char* verb : {"status", "plan", "history"}) {
    const Ran ran = keyturn({verb, "erp-redis", "-o", "json"});
    EXPECT_EQ(ran.code, 0) << verb;
    EXPECT_EQ(ran.out.front(), '{') << verb;
  }
}

TEST_F(EndToEnd, VerifySaysThatAllIsWellWithItsExitCode) {
  const std::vector<api::RotationRun> runs = a_chain(redis, 6);
  const std::string& head = runs.back().status.record_hash;
  add(a_rotation_that_notes(runs));
  add(a_rotation({"erp-stage", "elsewhere"}));
  for (const api::RotationRun& run : runs) add(run);
  const std::string line = "erp-dev/erp-redis: 6 records, intact, head " + head + "\n";
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"verify", "erp-redis"}, {"verify"}, {"verify", "erp-redis", "--anchor", head.c_str()}}) {
    const Ran ran = keyturn(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, line);
  }
  EXPECT_EQ(keyturn({"verify", "-A"}).out, line + "erp-stage/elsewhere: no records yet\n");
  EXPECT_EQ(keyturn({"verify", "erp-redis", "-o", "json"}).out.front(), '{');
  EXPECT_NE(keyturn({"status", "erp-redis"}).out.find("Records:      6 sealed, head " + head), std::string::npos);
  EXPECT_NE(keyturn({"history", "erp-redis"}).out.find("  record    " + head), std::string::npos);
}

TEST_F(EndToEnd, VerifyFindsWhatIsGoneAndSaysSoWithItsExitCode) {
  const std::vector<api::RotationRun> runs = a_chain(redis, 3);
  add(a_rotation_that_notes(runs));
  add(runs[0]);
  add(runs[1]);
  for (const std::vector<const char*>& words : {std::vector<const char*>{"verify", "erp-redis"}, {"verify"}, {"verify", "-A"}}) {
    const Ran ran = keyturn(words);
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.out.find("2 records, 1 finding"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("3 were sealed, 2 are here"), std::string::npos) << ran.out;
    EXPECT_EQ(ran.err, "");
  }
  EXPECT_EQ(keyturn({"verify", "-n", "erp-stage"}).out, "There are no rotations in namespace erp-stage.\n");
}

// What kubectl writes: a list, its keys sorted, with metadata that the hash leaves out.
std::string as_kubectl_writes(const api::SecretRotation* rotation, const std::vector<api::RotationRun>& runs) {
  boost::json::array items;
  if (rotation) items.emplace_back(api::encode(*rotation));
  for (const api::RotationRun& run : runs) {
    boost::json::object object = api::encode(run);
    object["metadata"].as_object()["managedFields"] = boost::json::array{1};
    items.emplace_back(std::move(object));
  }
  return boost::json::serialize(boost::json::object{{"apiVersion", "v1"}, {"items", std::move(items)}, {"kind", "List"}});
}

TEST_F(EndToEnd, VerifyReadsAFileWithoutAController) {
  std::vector<api::RotationRun> runs = a_chain(redis, 4);
  const api::SecretRotation rotation = a_rotation_that_notes(runs);
  const std::string head = runs.back().status.record_hash;
  const auto verify = [&](const std::string& text, std::vector<const char*> more) {
    const std::string path = scratch.write("runs.json", text);
    more.insert(more.begin(), {"verify", "--file", path.c_str()});
    return keyturn_with("", more);
  };
  const Ran intact = verify(as_kubectl_writes(&rotation, runs), {});
  EXPECT_EQ(intact.code, 0) << intact.out << intact.err;
  EXPECT_EQ(intact.out, "erp-dev/erp-redis: 4 records, intact, head " + head + "\n");

  runs.pop_back();
  EXPECT_EQ(verify(as_kubectl_writes(nullptr, runs), {}).code, 0) << "nothing in the file tells of a fourth";
  EXPECT_NE(verify(as_kubectl_writes(nullptr, runs), {}).out.find("a missing end would not be seen"), std::string::npos);
  EXPECT_EQ(verify(as_kubectl_writes(&rotation, runs), {}).code, 1);
  EXPECT_EQ(verify(as_kubectl_writes(nullptr, runs), {"erp-redis", "--anchor", head.c_str()}).code, 1);
  EXPECT_EQ(verify(as_kubectl_writes(&rotation, {}), {}).code, 1) << "all of them are gone";

  runs[1].spec.actor = "somebody else";
  const Ran edited = verify(as_kubectl_writes(nullptr, runs), {"erp-redis", "-n", "erp-dev", "-o", "json"});
  EXPECT_EQ(edited.code, 1);
  EXPECT_NE(edited.out.find("\"kind\": \"Edited\""), std::string::npos) << edited.out;
  const Ran single = verify(boost::json::serialize(api::encode(runs[0])), {});
  EXPECT_EQ(single.code, 0) << single.out << single.err;
}

TEST_F(EndToEnd, VerifySaysWhenAFileIsOfNoUse) {
  const Ran missing = keyturn_with("", {"verify", "--file", "/nonexistent/runs.json"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("cannot be read"), std::string::npos) << missing.err;
  for (const char* text : {"kind: List", "{\"items\": []}", "[]", "{\"kind\": \"Pod\"}", "{\"items\": [1, {\"kind\": 2}]}"}) {
    const std::string path = scratch.write("runs.json", text);
    const Ran ran = keyturn_with("", {"verify", "--file", path.c_str()});
    EXPECT_EQ(ran.code, 1) << text;
    EXPECT_NE(ran.err.find("kubectl get rotationruns,secretrotations"), std::string::npos) << ran.err;
  }
  const std::string path = scratch.write("runs.json", as_kubectl_writes(nullptr, a_chain(redis, 2)));
  EXPECT_NE(keyturn_with("", {"verify", "other", "--file", path.c_str()}).err.find("the rotation other"), std::string::npos);
  EXPECT_EQ(keyturn_with("", {"verify", "-n", "erp-stage", "--file", path.c_str()}).code, 1);
}

TEST_F(EndToEnd, AnUnknownRotationIsNamed) {
  for (const char* verb : {"status", "plan", "history", "verify"}) {
    const Ran ran = keyturn({verb, "nonsense"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err, "error: there is no rotation nonsense in namespace erp-dev: `keyturn status -A` lists all\n") << verb;
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(EndToEnd, ARefusedTokenIsSaidToBeOne) {
  const Ran ran = keyturn_with(kubeconfig("stolen", tls.ca_pem, http_address()), {"status"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("does not accept the token"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("stolen"), std::string::npos);
  const Ran watching = keyturn_with(kubeconfig("stolen", tls.ca_pem, http_address()), {"watch"});
  EXPECT_EQ(watching.code, 1);
  EXPECT_NE(watching.err.find("does not accept the token"), std::string::npos) << watching.err;
}

TEST_F(EndToEnd, ANamespaceThatIsNotOursIsRefused) {
  const Ran ran = keyturn_with(kubeconfig("token-of-bob", tls.ca_pem, http_address()), {"status", "-n", "erp-stage"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("not allowed"), std::string::npos) << ran.err;
}

TEST_F(EndToEnd, ACertificateOfAnotherAuthorityIsExplained) {
  const Ran ran = keyturn_with(kubeconfig("token-of-ann", net::generate_tls("other", {"localhost"})->ca_pem, http_address()), {"status"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("cannot be trusted"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("--certificate-authority"), std::string::npos) << ran.err;
}

TEST_F(EndToEnd, AnAuthorityThatIsNoCertificateIsExplained) {
  const Ran ran = keyturn_with(kubeconfig("token-of-ann", "nonsense", http_address()), {"status"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("not valid PEM"), std::string::npos) << ran.err;
}

TEST_F(EndToEnd, AServerThatIsNotThereIsExplained) {
  const std::string address = http_address();
  stop();
  const Ran ran = keyturn_with(kubeconfig("token-of-ann", tls.ca_pem, address), {"status"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("cannot be reached"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find(address), std::string::npos) << ran.err;
}

// What a Kubernetes API server says to a path that it does not know.
Awaitable<> say_not_found(net::HttpRequest, net::Peer, net::ReplyWriter& writer) {
  net::HttpReply reply;
  reply.status = 404;
  reply.headers.set("Content-Type", "application/json");
  reply.body = R"({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "message": "not found", "code": 404})";
  co_await writer.send(std::move(reply));
}

TEST_F(EndToEnd, AServerThatServesSomethingElseIsExplained) {
  net::HttpServer kubernetes(io.get_executor(), clock, {}, *net::server_context(tls.server), say_not_found);
  ASSERT_TRUE(wait(started(kubernetes)));
  const std::string address = "https://localhost:" + std::to_string(kubernetes.port());
  for (const char* verb : {"status", "watch"}) {
    const Ran ran = keyturn_with(kubeconfig("token-of-ann", tls.ca_pem, address), {verb});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.err.find("does not serve Keyturn's API"), std::string::npos) << ran.err;
  }
  wait(kubernetes.stop(Duration(1'000)));
}

TEST_F(EndToEnd, AMissingKubeconfigIsExplained) {
  const Ran ran = keyturn_with(scratch / "missing", {"status"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("there is no kubeconfig at"), std::string::npos) << ran.err;
}

TEST_F(EndToEnd, WatchPrintsWhatThereIsAndEndsWithItsReader) {
  add(a_rotation(redis));
  add(a_rotation({"erp-dev", "other"}));
  const std::string path = kubeconfig("token-of-ann", tls.ca_pem, http_address());
  FewLines lines(2);
  std::ostream out(&lines);
  std::ostringstream err;
  Arguments arguments;
  arguments.verb = Verb::Watch;
  arguments.kubeconfig = path;
  EXPECT_EQ(run(arguments, [](const std::string&) { return std::nullopt; }, out, err), 0) << err.str();
  EXPECT_NE(lines.str().find("EVENT"), std::string::npos);
  EXPECT_NE(lines.str().find("ADDED"), std::string::npos);
  EXPECT_NE(lines.str().find("erp-redis"), std::string::npos);
}

TEST_F(EndToEnd, WatchEndsWithAnErrorWhenTheServerIsGoneForGood) {
  add(a_rotation(redis));
  const std::string path = kubeconfig("token-of-ann", tls.ca_pem, http_address());
  auto watching = std::async(std::launch::async, [this, path] { return keyturn_with(path, {"watch", "-o", "json"}); });
  // The server stops while the watch runs, or before it began: both end the same way.
  stop();
  const Ran ran = watching.get();
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("cannot be reached"), std::string::npos) << ran.err;
}

TEST_F(EndToEnd, VersionAndKubeconfigNeedNoServer) {
  EXPECT_EQ(keyturn_with("", {"version"}).out, "keyturn " KEYTURN_VERSION "\n");
  const std::string path = kubeconfig("t", "", "https://localhost:1");
  EXPECT_EQ(keyturn_with(path, {"kubeconfig"}).out, path + "\n");
  const Ran missing = keyturn_with(scratch / "missing", {"kubeconfig"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("there is no kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
