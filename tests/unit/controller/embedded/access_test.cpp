#include "controller/embedded/access.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_directory.h"
#include "tests/unit/controller/embedded/api_server_harness.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

User with_role(Role role) {
  User user;
  user.name = "u";
  user.role = role;
  return user;
}

// Everything that matters, enumerated: who may do what to what.
TEST(Access, AllowsByRole) {
  struct Case {
    const char *verb, *group, *resource;
    bool view, edit, controller, admin;
  };
  const Case cases[] = {{"get", "keyturn.dev", "secretrotations", true, true, true, true},
                        {"watch", "keyturn.dev", "rotationenvironments", true, true, true, true},
                        {"list", "", "events", true, true, true, true},
                        {"create", "keyturn.dev", "secretrotations", false, true, false, true},
                        {"patch", "keyturn.dev", "secretrotations", false, true, true, true},
                        {"delete", "keyturn.dev", "secretrotations", false, true, false, true},
                        {"patch", "keyturn.dev", "secretrotations/status", false, false, true, true},
                        {"create", "keyturn.dev", "rotationruns", false, false, true, true},
                        {"update", "keyturn.dev", "rotationruns/status", false, false, true, true},
                        {"patch", "keyturn.dev", "rotationenvironments", false, false, true, true},
                        {"create", "keyturn.dev", "rotationenvironments", false, false, false, true},
                        {"create", "", "events", false, false, true, true},
                        {"delete", "", "events", false, false, false, true},
                        {"create", "", "namespaces", false, false, false, true},
                        {"create", "authorization.k8s.io", "selfsubjectaccessreviews", true, true, true, true},
                        {"create", "authorization.k8s.io", "subjectaccessreviews", false, false, false, true}};
  const Access access;
  for (const Case& one : cases) {
    EXPECT_EQ(access.allowed(with_role(Role::View), one.verb, one.group, one.resource, "a", ""), one.view)
        << one.verb << " " << one.resource;
    EXPECT_EQ(access.allowed(with_role(Role::Edit), one.verb, one.group, one.resource, "a", ""), one.edit)
        << one.verb << " " << one.resource;
    EXPECT_EQ(access.allowed(with_role(Role::Controller), one.verb, one.group, one.resource, "a", ""), one.controller)
        << one.verb << " " << one.resource;
    EXPECT_EQ(access.allowed(with_role(Role::Admin), one.verb, one.group, one.resource, "a", ""), one.admin)
        << one.verb << " " << one.resource;
    EXPECT_FALSE(access.allowed(User{}, one.verb, one.group, one.resource, "a", ""));
  }
}

TEST(Access, KeepsAUserInsideItsNamespaces) {
  const Access access;
  User user = with_role(Role::Edit);
  user.namespaces = {"team"};
  EXPECT_TRUE(access.allowed(user, "create", "keyturn.dev", "secretrotations", "team", ""));
  EXPECT_FALSE(access.allowed(user, "create", "keyturn.dev", "secretrotations", "other", ""));
  EXPECT_FALSE(access.allowed(user, "list", "keyturn.dev", "secretrotations", "", ""));
  EXPECT_TRUE(access.allowed(user, "get", "keyturn.dev", "rotationenvironments", "", "dev"));
  user.role = Role::Admin;
  EXPECT_FALSE(access.allowed(user, "create", "", "namespaces", "", "x"));
  EXPECT_TRUE(access.allowed(user, "delete", "", "events", "team", "x"));
}

TEST(Access, KnowsTokensByTheirHashAndSurvivesARestart) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "tokens").string();
  SeededRandom random(3);
  std::string text;
  {
    Result<Access> access = Access::open(path);
    ASSERT_TRUE(access);
    User user = with_role(Role::Edit);
    user.name = "ci";
    user.namespaces = {"a", "b"};
    const Result<Secret> token = access->issue(random, user);
    ASSERT_TRUE(token);
    text = token->expose([](std::string_view bytes) { return std::string(bytes); });
    EXPECT_EQ(text.size(), 64u);
  }
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::ifstream file(path);
  const std::string kept((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(kept.find(text), std::string::npos);

  const Result<Access> again = Access::open(path);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->knows("ci"));
  EXPECT_FALSE(again->knows("admin"));
  net::HttpRequest request;
  request.headers.add("Authorization", "Bearer " + text);
  const std::optional<User> user = again->authenticate(request, {});
  ASSERT_TRUE(user);
  EXPECT_EQ(user->name, "ci");
  EXPECT_EQ(user->role, Role::Edit);
  EXPECT_EQ(user->namespaces, (std::vector<std::string>{"a", "b"}));
}

TEST(Access, RefusesATokensFileThatOthersReadOrThatIsBroken) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "tokens").string();
  std::ofstream(path) << "nonsense\n";
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(Access::open(path).error().code, Errc::Denied);
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(Access::open(path).error().code, Errc::Invalid);
  EXPECT_EQ(Access::open((directory.path() / "no" / "such").string()).error().code, Errc::Denied);
}

TEST(Access, BelievesACertificateOnlyWithARoleInIt) {
  const Access access;
  net::Peer peer;
  peer.certificate_common_name = "op";
  peer.certificate_organizations = {"sales", "keyturn:view"};
  EXPECT_EQ(access.authenticate({}, peer)->role, Role::View);
  EXPECT_EQ(access.authenticate({}, peer)->name, "op");
  peer.certificate_organizations = {"keyturn:none", "keyturn:root"};
  EXPECT_TRUE(access.authenticate({}, peer)->anonymous());
}

TEST(Authentication, TellsWrongFromMissing) {
  ApiServerHarness api;
  api.token = "wrong";
  const TestReply wrong = api.get(collection);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.message(), "Unauthorized");
  EXPECT_EQ(api.call("GET", "/version", {}, {{"Authorization", "Basic eDp5"}}).status, 401);
  api.token.clear();
  for (const char* open : {"/healthz", "/livez", "/readyz", "/version", "/healthz/ping"}) EXPECT_EQ(api.get(open).status, 200) << open;
  EXPECT_EQ(api.get("/apis").message(), "forbidden: User \"system:anonymous\" cannot get path \"/apis\"");
  EXPECT_EQ(api.get(collection).message(),
            "secretrotations.keyturn.dev is forbidden: User \"system:anonymous\" cannot list resource \"secretrotations\" in API group "
            "\"keyturn.dev\" in the namespace \"default\"");
  api.token = "token-view";
  EXPECT_EQ(
      api.call("DELETE", "/api/v1/namespaces/x").message(),
      "namespaces \"x\" is forbidden: User \"view-user\" cannot delete resource \"namespaces\" in API group \"\" at the cluster scope");
}

TEST(Reviews, AnswerWhatIsThenEnforced) {
  ApiServerHarness api;
  const std::string path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  for (const std::string token : {"token-admin", "token-edit", "token-view", "token-controller"}) {
    api.token = token;
    for (const std::string verb : {"get", "create", "patch", "delete"}) {
      const json::value body{{"spec",
                              {{"resourceAttributes",
                                {{"verb", verb}, {"group", "keyturn.dev"}, {"resource", "secretrotations"}, {"namespace", "default"}}}}}};
      const TestReply reply = api.post(path, body);
      ASSERT_EQ(reply.status, 201);
      const bool allowed = reply.json().at("status").as_object().at("allowed").as_bool();
      const std::string method = verb == "get" ? "GET" : verb == "create" ? "POST" : verb == "patch" ? "PATCH" : "DELETE";
      const TestReply tried =
          api.call(method, verb == "create" ? collection : item("nope"), "", {{"Content-Type", "application/merge-patch+json"}});
      EXPECT_EQ(tried.status != 403, allowed) << token << " " << verb;
    }
  }
  api.token = "token-view";
  const TestReply who = api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json::object{});
  EXPECT_EQ(who.json().at("status").as_object().at("userInfo").as_object().at("username"), "view-user");
  const TestReply rules =
      api.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json::parse(R"({"spec":{"namespace":"default"}})"));
  EXPECT_EQ(rules.json().at("status").as_object().at("resourceRules").as_array().size(), 3u);
  EXPECT_EQ(api.post("/apis/authentication.k8s.io/v1beta1/selfsubjectreviews", json::object{}).status, 404);
}

}  // namespace
}  // namespace keyturn::embedded
