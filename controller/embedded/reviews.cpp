#include "controller/embedded/reviews.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <string>
#include <vector>

#include "controller/embedded/json_path.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view path) {
  const json::value* value = find_path(object, path);
  return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

json::array texts(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

json::object reply_of(std::string_view kind, std::string_view group, const json::object& body, json::object status) {
  const json::value* spec = body.if_contains("spec");
  return {{"kind", kind},
          {"apiVersion", std::string(group) + "/v1"},
          {"metadata", json::object{{"creationTimestamp", nullptr}}},
          {"spec", spec ? *spec : json::value(json::object{})},
          {"status", std::move(status)}};
}

// "*" asks for everything, which only a role without limits can do.
bool may(const Access& access, const User& user, const json::object& body) {
  if (find_path(body, "spec.nonResourceAttributes")) return access.allowed_path(user, text_at(body, "spec.nonResourceAttributes.path"));
  const auto at = [&body](std::string_view name) { return text_at(body, "spec.resourceAttributes." + std::string(name)); };
  std::string resource = at("resource");
  if (!at("subresource").empty()) resource += "/" + at("subresource");
  return access.allowed(user, at("verb"), at("group"), resource, at("namespace"), at("name"));
}

json::object access_status(bool allowed) {
  json::object status{{"allowed", allowed}};
  if (allowed) status["reason"] = "allowed by role";
  return status;
}

json::object rules_status(const Access& access, const User& user, const json::object& body) {
  json::array resources;
  for (const Access::Rule& rule : access.rules_of(user, text_at(body, "spec.namespace")))
    resources.push_back(
        json::object{{"verbs", texts(rule.verbs)}, {"apiGroups", texts(rule.groups)}, {"resources", texts(rule.resources)}});
  json::array open{
      json::object{{"verbs", json::array{"get"}}, {"nonResourceURLs", json::array{"/healthz", "/livez", "/readyz", "/version"}}}};
  if (!user.anonymous())
    open.push_back(json::object{{"verbs", json::array{"get"}}, {"nonResourceURLs", json::array{"/api", "/apis", "/openapi"}}});
  return {{"resourceRules", std::move(resources)}, {"nonResourceRules", std::move(open)}, {"incomplete", false}};
}

// The user that a SubjectAccessReview asks about is known here only through its role group.
User asked_about(const json::object& body) {
  User user;
  user.name = text_at(body, "spec.user");
  const json::value* groups = find_path(body, "spec.groups");
  if (!groups || !groups->is_array()) return user;
  for (const json::value& group : groups->get_array()) {
    const std::string name = group.is_string() ? std::string(group.get_string()) : std::string{};
    if (!name.starts_with("keyturn:")) continue;
    if (const std::optional<Role> role = role_named(std::string_view(name).substr(8))) user.role = *role;
  }
  return user;
}

}  // namespace

Answer<json::object> review(const Access& access, const User& user, std::string_view group, std::string_view plural,
                            const json::object& body) {
  if (group == "authorization.k8s.io" && plural == "selfsubjectaccessreviews")
    return reply_of("SelfSubjectAccessReview", group, body, access_status(may(access, user, body)));
  if (group == "authorization.k8s.io" && plural == "subjectaccessreviews")
    return reply_of("SubjectAccessReview", group, body, access_status(may(access, asked_about(body), body)));
  if (group == "authorization.k8s.io" && plural == "selfsubjectrulesreviews")
    return reply_of("SelfSubjectRulesReview", group, body, rules_status(access, user, body));
  if (group == "authentication.k8s.io" && plural == "selfsubjectreviews") {
    json::object reply =
        reply_of("SelfSubjectReview", group, body, {{"userInfo", json::object{{"username", user.name}, {"groups", texts(user.groups)}}}});
    reply.erase("spec");
    return reply;
  }
  return page_not_found();
}

}  // namespace keyturn::embedded
