#include "sim/vault/vault_service.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/hash.h"
#include "base/secret_memory.h"
#include "sim/reply.h"
#include "sim/text.h"

namespace keyturn::sim {

namespace json = boost::json;

struct VaultService::Call {
  const Request& request;
  const Route& route;
  VaultSite& site;
  Instant now;
};

namespace {

Refusal bad_parameter(std::string message) { return {400, "BadParameter", std::move(message), ""}; }

// The base of ids and links is the authority the caller used, so that the simulator needs no name service.
std::string base_of(const Request& request, bool with_port) {
  const bool has_port = request.host.find(':') != std::string::npos;
  return "https://" + request.host + (with_port && !has_port ? ":443" : "");
}

std::string id_of(const Request& request, const VaultSite& site, const Vault::Item& item, bool with_version) {
  std::string id = base_of(request, site.settings.ids_with_port) + "/secrets/" + *item.name;
  if (with_version) id += "/" + item.version->id;
  return id;
}

json::object attributes_of(const SecretVersion& version) {
  json::object out{{"enabled", version.attributes.enabled}};
  if (version.attributes.not_before) out["nbf"] = *version.attributes.not_before;
  if (version.attributes.expires) out["exp"] = *version.attributes.expires;
  out["created"] = version.created;
  out["updated"] = version.updated;
  out["recoveryLevel"] = "Recoverable+Purgeable";
  out["recoverableDays"] = Vault::retention.count();
  return out;
}

json::object item_of(const std::string& id, const SecretVersion& version) {
  json::object out{{"id", id}, {"attributes", attributes_of(version)}};
  if (!version.content_type.empty()) out["contentType"] = version.content_type;
  if (!version.tags.empty()) {
    json::object tags;
    for (const auto& [key, value] : version.tags) tags[key] = value;
    out["tags"] = std::move(tags);
  }
  return out;
}

// The one shape that holds the value: it is put together in the arena.
net::HttpReply bundle_reply(const std::string& id, const SecretVersion& version) {
  SecretBuffer body;
  body.append(R"({"value":)");
  version.value.expose([&](std::string_view value) { append_json_string(body, value); });
  body.append(",");
  body.append(std::string_view(json::serialize(item_of(id, version))).substr(1));
  return secret_reply(200, std::move(body).finish());
}

Answer<std::size_t> page_size(const Request& request) {
  const std::string_view text = request.query_or("maxresults", "25");
  std::size_t size = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (failed != std::errc{} || end != text.data() + text.size() || size < 1 || size > Vault::page_items_max) {
    return bad_parameter("maxresults must be between 1 and 25.");
  }
  return size;
}

// The token is opaque to clients; its `$` and its base64 characters travel unescaped in the link, as at Azure.
std::string token_of(std::string_view marker) {
  return to_base64(json::serialize(json::object{{"NextMarker", marker}, {"TargetLocation", 0}}));
}

struct Cursor {
  std::string after;
  bool first = true;
};
Answer<Cursor> cursor_of(const Request& request) {
  const auto token = request.query.find("$skiptoken");
  if (token == request.query.end()) return Cursor{};
  const auto text = from_base64(token->second);
  boost::system::error_code failed;
  const json::value parsed = text ? json::parse(*text, failed) : json::value{};
  const json::value* marker = parsed.is_object() ? parsed.get_object().if_contains("NextMarker") : nullptr;
  if (failed || !marker || !marker->is_string()) return bad_parameter("The continuation token is not valid.");
  return Cursor{std::string(marker->get_string()), false};
}

std::string next_link(const Request& request, std::string_view marker) {
  std::string link = fmt::format("{}{}?api-version={}&$skiptoken={}", base_of(request, true), request.path,
                                 request.query_or("api-version", ""), token_of(marker));
  if (request.query.contains("maxresults")) link += fmt::format("&maxresults={}", request.query_or("maxresults", ""));
  return link;
}

net::HttpReply page_reply(json::array items, json::value link) {
  return json_reply(200, json::object{{"value", std::move(items)}, {"nextLink", std::move(link)}});
}

// Reads one page through `read(after, items_max)`, with the switch for an empty first page.
template <class Read>
Answer<net::HttpReply> paged(const Request& request, const VaultSite& site, bool with_version, Read read) {
  const auto size = page_size(request);
  if (!size) return size.error();
  const auto cursor = cursor_of(request);
  if (!cursor) return cursor.error();
  Answer<Vault::Page> page = read(cursor->after, *size);
  if (!page) return page.error();
  // The empty marker sorts before every name and id, so the page behind the link begins at the beginning.
  if (cursor->first && site.settings.empty_first_page) return page_reply({}, json::value(next_link(request, "")));
  json::array items;
  for (const Vault::Item& item : page->items) items.push_back(item_of(id_of(request, site, item, with_version), *item.version));
  return page_reply(std::move(items), page->next.empty() ? json::value(nullptr) : json::value(next_link(request, page->next)));
}

json::object deleted_of(const Request& request, const VaultSite& site, const Vault::Deleted& deleted) {
  json::object out = item_of(id_of(request, site, {deleted.name, deleted.version}, true), *deleted.version);
  out["recoveryId"] = base_of(request, site.settings.ids_with_port) + "/deletedsecrets/" + *deleted.name;
  out["deletedDate"] = deleted.deleted;
  out["scheduledPurgeDate"] = deleted.scheduled_purge;
  return out;
}

// --- reading bodies -------------------------------------------------------------------------------------------------------------

Answer<Tags> read_tags(const json::value& value) {
  if (!value.is_object()) return bad_parameter("tags must be an object.");
  Tags tags;
  for (const auto& [key, text] : value.get_object()) {
    if (!text.is_string()) return bad_parameter("The value of a tag must be a string.");
    tags.emplace(std::string(key), std::string(text.get_string()));
  }
  return tags;
}

// Absent and null both mean "as it is".
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

Answer<> read_attributes(const json::object& attributes, Vault::Change& change) {
  if (const json::value* enabled = member(attributes, "enabled")) {
    if (!enabled->is_bool()) return bad_parameter("attributes.enabled must be a boolean.");
    change.enabled = enabled->get_bool();
  }
  for (const auto& [name, target] : {std::pair{"nbf", &change.not_before}, std::pair{"exp", &change.expires}}) {
    const json::value* number = member(attributes, name);
    if (!number) continue;
    if (!number->is_int64()) return bad_parameter("attributes.nbf and attributes.exp must be unix seconds.");
    *target = number->get_int64();
  }
  return {};
}

Answer<Vault::Change> read_change(const json::value& body) {
  if (!body.is_object()) return bad_parameter("The request body must be a JSON object.");
  Vault::Change change;
  const json::object& object = body.get_object();
  if (const json::value* content_type = member(object, "contentType")) {
    if (!content_type->is_string()) return bad_parameter("contentType must be a string.");
    change.content_type = std::string(content_type->get_string());
  }
  if (const json::value* tags = member(object, "tags")) {
    auto read = read_tags(*tags);
    if (!read) return read.error();
    change.tags = std::move(*read);
  }
  if (const json::value* attributes = member(object, "attributes")) {
    if (!attributes->is_object()) return bad_parameter("attributes must be an object.");
    if (const auto read = read_attributes(attributes->get_object(), change); !read) return read.error();
  }
  return change;
}

Answer<SecretJson> read_body(const Request& request) {
  auto parsed = SecretJson::parse(request.body);
  if (!parsed) return bad_parameter("The request body is not valid JSON.");
  return std::move(*parsed);
}

}  // namespace

Route VaultService::route(const Request& request, std::string vault) {
  const auto& path = request.segments;
  const std::string& method = request.method;
  Route route{.service = Service::Vault};
  route.vault = std::move(vault);
  if (path.empty() || path.size() > 3) return route;
  const bool deleted = same_word(path[0], "deletedsecrets");
  if (!deleted && !same_word(path[0], "secrets")) return route;
  if (path.size() > 1) route.secret = path[1];
  if (path.size() == 1) {
    if (method == "GET") route.operation = deleted ? "vault.list-deleted" : "vault.list";
  } else if (deleted) {
    const bool recover = path.size() == 3 && same_word(path[2], "recover");
    if (path.size() == 2 && method == "GET") route.operation = "vault.get-deleted";
    if (path.size() == 2 && method == "DELETE") route.operation = "vault.purge";
    if (recover && method == "POST") route.operation = "vault.recover";
  } else if (path.size() == 3 && same_word(path[2], "versions")) {
    if (method == "GET") route.operation = "vault.versions";
  } else {
    if (path.size() == 3) route.version = path[2];
    if (method == "GET") route.operation = "vault.get";
    if (method == "PATCH") route.operation = "vault.patch";
    if (method == "PUT" && path.size() == 2) route.operation = "vault.set";
    if (method == "DELETE" && path.size() == 2) route.operation = "vault.delete";
  }
  return route;
}

net::HttpReply VaultService::challenge(Tokens::Verdict verdict, const std::string& authority) const {
  std::string header = fmt::format(R"(Bearer authorization="{}", resource="{}")", authority, vault_audience);
  if (verdict == Tokens::Verdict::Revoked) {
    const std::string claims = to_base64(R"({"access_token":{"nbf":{"essential":true}}})");
    header += fmt::format(R"(, error="insufficient_claims", claims="{}")", claims);
  }
  const bool missing = verdict == Tokens::Verdict::Missing;
  const Refusal refusal{
      401, "Unauthorized",
      missing ? "Request is missing a Bearer or PoP token." : fmt::format("Error validating token: {}.", name_of(verdict)), ""};
  net::HttpReply reply = vault_refusal(refusal);
  reply.headers.add("WWW-Authenticate", std::move(header));
  return reply;
}

net::HttpReply VaultService::handle(const Request& request, const Route& route, const std::string& authority, Instant now,
                                    std::string& principal) {
  VaultSite* site = vaults_.find(route.vault);
  if (!site) return vault_refusal({404, "NotFound", "The vault does not exist.", ""});
  const Tokens::Checked checked = tokens_.check(request.bearer, tenant_, vault_audience, now);
  principal = checked.principal;
  if (checked.verdict != Tokens::Verdict::Accepted) return challenge(checked.verdict, authority);
  if (request.query_or("api-version", "").empty()) return vault_refusal(bad_parameter("api-version must be specified."));
  if (route.operation.empty()) return vault_refusal({404, "NotFound", "The requested resource was not found.", ""});
  if (const auto admitted = site->admit(principal, action_of(route.operation), now); !admitted) return vault_refusal(admitted.error());
  WindowBudget& budget = route.operation == "vault.set" ? site->creates : site->others;
  if (!budget.take(now)) {
    net::HttpReply reply = vault_refusal(
        {429, "Throttled", "Request was not processed because too many requests were received.", "VaultRequestTypeLimitReached"});
    if (site->settings.retry_after_s) reply.headers.add("Retry-After", std::to_string(*site->settings.retry_after_s));
    return reply;
  }
  auto answer = perform(Call{request, route, *site, now});
  return answer ? std::move(*answer) : vault_refusal(answer.error());
}

Answer<net::HttpReply> VaultService::perform(const Call& call) {
  const std::string& operation = call.route.operation;
  if (operation == "vault.set") return set(call);
  if (operation == "vault.get") return get(call);
  if (operation == "vault.patch") return patch(call);
  if (operation == "vault.list") return list(call);
  if (operation == "vault.versions") return versions(call);
  if (operation == "vault.delete") return remove(call);
  if (operation == "vault.list-deleted") return list_deleted(call);
  if (operation == "vault.get-deleted") return get_deleted(call);
  if (operation == "vault.recover") return recover(call);
  return purge(call);
}

Answer<net::HttpReply> VaultService::set(const Call& call) {
  const auto body = read_body(call.request);
  if (!body) return body.error();
  auto change = read_change(body->root());
  if (!change) return change.error();
  auto value = body->secret_at("/value");
  if (!value) return bad_parameter("The request body must contain a string value.");
  Vault::Draft draft{.value = std::move(*value),
                     .content_type = std::move(change->content_type).value_or(""),
                     .tags = std::move(change->tags).value_or(Tags{}),
                     .attributes = {change->enabled.value_or(true), change->not_before, change->expires}};
  const auto item = call.site.vault.set(call.route.secret, std::move(draft), call.now);
  if (!item) return item.error();
  return bundle_reply(id_of(call.request, call.site, *item, true), *item->version);
}

Answer<net::HttpReply> VaultService::get(const Call& call) {
  const auto item = call.site.vault.get(call.route.secret, call.route.version, call.now);
  if (!item) return item.error();
  return bundle_reply(id_of(call.request, call.site, *item, true), *item->version);
}

Answer<net::HttpReply> VaultService::patch(const Call& call) {
  const auto body = read_body(call.request);
  if (!body) return body.error();
  auto change = read_change(body->root());
  if (!change) return change.error();
  const auto item = call.site.vault.patch(call.route.secret, call.route.version, std::move(*change), call.now);
  if (!item) return item.error();
  return json_reply(200, item_of(id_of(call.request, call.site, *item, true), *item->version));
}

Answer<net::HttpReply> VaultService::list(const Call& call) {
  return paged(call.request, call.site, false, [&](std::string_view after, std::size_t size) -> Answer<Vault::Page> {
    return call.site.vault.list(after, size, call.now);
  });
}

Answer<net::HttpReply> VaultService::versions(const Call& call) {
  return paged(call.request, call.site, true, [&](std::string_view after, std::size_t size) {
    return call.site.vault.versions(call.route.secret, after, size, call.now);
  });
}

Answer<net::HttpReply> VaultService::remove(const Call& call) {
  const auto deleted = call.site.vault.remove(call.route.secret, call.now);
  if (!deleted) return deleted.error();
  return json_reply(200, deleted_of(call.request, call.site, *deleted));
}

Answer<net::HttpReply> VaultService::list_deleted(const Call& call) {
  json::array items;
  for (const Vault::Deleted& deleted : call.site.vault.list_deleted(call.now))
    items.push_back(deleted_of(call.request, call.site, deleted));
  return page_reply(std::move(items), nullptr);
}

Answer<net::HttpReply> VaultService::get_deleted(const Call& call) {
  const auto deleted = call.site.vault.deleted(call.route.secret, call.now);
  if (!deleted) return deleted.error();
  return json_reply(200, deleted_of(call.request, call.site, *deleted));
}

Answer<net::HttpReply> VaultService::recover(const Call& call) {
  const auto item = call.site.vault.recover(call.route.secret, call.now);
  if (!item) return item.error();
  return json_reply(200, item_of(id_of(call.request, call.site, *item, true), *item->version));
}

Answer<net::HttpReply> VaultService::purge(const Call& call) {
  if (const auto purged = call.site.vault.purge(call.route.secret, call.now); !purged) return purged.error();
  net::HttpReply reply;
  reply.status = 204;
  return reply;
}

}  // namespace keyturn::sim
