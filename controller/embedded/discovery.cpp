#include "controller/embedded/discovery.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "base/hash.h"
#include "controller/embedded/resource_types.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

struct ReviewKind {
  std::string_view group, plural, kind;
};
constexpr ReviewKind review_kinds[] = {{"authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"},
                                       {"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"},
                                       {"authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"},
                                       {"authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"}};

json::array texts(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

json::object response_kind(std::string_view group, std::string_view version, std::string_view kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

json::object aggregated_resource(const ResourceType& type) {
  json::object out{{"resource", type.plural},
                   {"responseKind", response_kind(type.group, type.version, type.kind)},
                   {"scope", type.namespaced ? "Namespaced" : "Cluster"},
                   {"singularResource", type.singular},
                   {"verbs", texts(type.verbs())}};
  if (!type.short_names.empty()) out["shortNames"] = texts(type.short_names);
  if (!type.categories.empty()) out["categories"] = texts(type.categories);
  if (type.has_status) {
    out["subresources"] = json::array{json::object{{"subresource", "status"},
                                                   {"responseKind", response_kind(type.group, type.version, type.kind)},
                                                   {"verbs", json::array{"get", "patch", "update"}}}};
  }
  return out;
}

json::array aggregated_resources(const GroupVersion& gv) {
  json::array resources;
  for (const ResourceType& type : resource_types())
    if (type.group == gv.group && type.version == gv.version) resources.push_back(aggregated_resource(type));
  for (const ReviewKind& review : review_kinds) {
    if (review.group != gv.group) continue;
    std::string singular(review.plural.substr(0, review.plural.size() - 1));
    resources.push_back(json::object{{"resource", review.plural},
                                     {"responseKind", response_kind(review.group, "v1", review.kind)},
                                     {"scope", "Cluster"},
                                     {"singularResource", std::move(singular)},
                                     {"verbs", json::array{"create"}}});
  }
  return resources;
}

// Every group here has one version.
json::object group_object(const GroupVersion& gv) {
  const json::object version{{"groupVersion", gv.group + "/" + gv.version}, {"version", gv.version}};
  return {{"name", gv.group}, {"versions", json::array{version}}, {"preferredVersion", version}};
}

json::object listed_resource(const ResourceType& type) {
  json::object out{{"name", type.plural},
                   {"singularName", type.singular},
                   {"namespaced", type.namespaced},
                   {"kind", type.kind},
                   {"verbs", texts(type.verbs())}};
  if (!type.short_names.empty()) out["shortNames"] = texts(type.short_names);
  if (!type.categories.empty()) out["categories"] = texts(type.categories);
  out["storageVersionHash"] = to_base64(to_hex(sha256(type.group + "/" + type.version + "/" + type.kind)).substr(0, 8));
  return out;
}

}  // namespace

json::object aggregated_discovery(bool core) {
  json::array items;
  for (const GroupVersion& gv : group_versions()) {
    if (gv.group.empty() != core) continue;
    json::object metadata;
    if (!core) metadata["name"] = gv.group;
    json::object version{{"version", gv.version}, {"freshness", "Current"}, {"resources", aggregated_resources(gv)}};
    items.push_back(json::object{{"metadata", std::move(metadata)}, {"versions", json::array{std::move(version)}}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", json::object{}},
          {"items", std::move(items)}};
}

json::object api_versions(std::string_view server) {
  return {{"kind", "APIVersions"},
          {"versions", json::array{"v1"}},
          {"serverAddressByClientCIDRs", json::array{json::object{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server}}}}};
}

json::object api_group_list() {
  json::array groups;
  for (const GroupVersion& gv : group_versions())
    if (!gv.group.empty()) groups.push_back(group_object(gv));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<json::object> api_group(std::string_view group) {
  for (const GroupVersion& gv : group_versions()) {
    if (gv.group != group || group.empty()) continue;
    json::object out{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (const auto& [name, value] : group_object(gv)) out[name] = value;
    return out;
  }
  return std::nullopt;
}

std::optional<json::object> api_resource_list(std::string_view group, std::string_view version) {
  const std::vector<GroupVersion> all = group_versions();
  if (std::find(all.begin(), all.end(), GroupVersion{std::string(group), std::string(version)}) == all.end()) return std::nullopt;
  json::array resources;
  for (const ResourceType& type : resource_types()) {
    if (type.group != group || type.version != version) continue;
    resources.push_back(listed_resource(type));
    if (!type.has_status) continue;
    resources.push_back(json::object{{"name", type.plural + "/status"},
                                     {"singularName", ""},
                                     {"namespaced", type.namespaced},
                                     {"kind", type.kind},
                                     {"verbs", json::array{"get", "patch", "update"}}});
  }
  for (const ReviewKind& review : review_kinds) {
    if (review.group != group) continue;
    resources.push_back(json::object{
        {"name", review.plural}, {"singularName", ""}, {"namespaced", false}, {"kind", review.kind}, {"verbs", json::array{"create"}}});
  }
  const std::string gv = group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
  return json::object{{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", gv}, {"resources", std::move(resources)}};
}

}  // namespace keyturn::embedded
