#include "reconcilers/azure/key_vault.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>

#include "base/secret_memory.h"
#include "reconcilers/azure/service_error.h"

namespace keyturn {

namespace json = boost::json;

struct AzureKeyVault::Entry {
  VaultVersion version;
  TagMap tags;
  bool managed = false;
};

struct AzureKeyVault::Current {
  VaultFacts facts;
  TagMap tags;
  std::string content_type;
  Secret value;
};

struct AzureKeyVault::Page {
  std::vector<Entry> entries;
  std::optional<net::Url> next;
};

namespace {

constexpr std::string_view api_version = "api-version=7.4";
constexpr std::string_view our_prefix = "keyturn-";
constexpr std::string_view tag_run = "keyturn-run";
constexpr std::string_view tag_generation = "keyturn-generation";
constexpr std::string_view tag_owner = "keyturn-owner";
constexpr std::string_view tag_revision = "keyturn-revision";
constexpr std::string_view tag_serial = "keyturn-serial";
constexpr std::string_view tag_floor = "keyturn-issued-not-before";
constexpr std::size_t name_bytes_max = 127;
constexpr std::size_t value_bytes_max = std::size_t{25} << 10;

Error bad_name() { return {Errc::Invalid, "not a name that Key Vault allows"}; }
Error unreadable() { return {Errc::Unavailable, "Key Vault answered with something unexpected"}; }

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Names and version ids become parts of a path: anything else could name another resource.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return alphanumeric(c) || c == '-'; });
}
bool is_version(std::string_view text) { return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), alphanumeric); }

template <class Number>
Number number_or_zero(std::string_view text) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? value : Number{0};
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

using Tags = std::map<std::string, std::string>;

Tags read_tags(const json::object& object) {
  Tags out;
  const json::value* tags = object.if_contains("tags");
  if (tags == nullptr || !tags->is_object()) return out;
  for (const auto& [name, value] : tags->get_object())
    if (value.is_string()) out.emplace(std::string(std::string_view(name)), std::string(std::string_view(value.get_string())));
  return out;
}

VersionTags our_tags(const Tags& tags) {
  const auto text = [&tags](std::string_view name) {
    const auto found = tags.find(std::string(name));
    return found == tags.end() ? std::string() : found->second;
  };
  VersionTags out;
  out.run = text(tag_run);
  out.generation = number_or_zero<std::int64_t>(text(tag_generation));
  out.owner = text(tag_owner);
  out.credential.revision = text(tag_revision);
  out.credential.serial = number_or_zero<int>(text(tag_serial));
  out.floor = parse_rfc3339(text(tag_floor));
  return out;
}

// Foreign tags stay, ours are replaced as a whole (KV-A2).
Result<Tags> merged(const Tags& existing, const VersionTags& tags) {
  Tags out;
  for (const auto& [name, value] : existing)
    if (!name.starts_with(our_prefix)) out.emplace(name, value);
  if (!tags.run.empty()) out[std::string(tag_run)] = tags.run;
  out[std::string(tag_generation)] = std::to_string(tags.generation);
  if (!tags.owner.empty()) out[std::string(tag_owner)] = tags.owner;
  if (!tags.credential.empty()) {
    out[std::string(tag_revision)] = tags.credential.revision;
    out[std::string(tag_serial)] = std::to_string(tags.credential.serial);
  }
  if (tags.floor) out[std::string(tag_floor)] = format_seconds(*tags.floor);
  if (out.size() > AzureKeyVault::tags_max) return Error{Errc::Invalid, "the secret has too many tags to add ours"};
  for (const auto& [name, value] : out)
    if (name.size() > AzureKeyVault::tag_bytes_max || value.size() > AzureKeyVault::tag_bytes_max)
      return Error{Errc::Invalid, "a tag is longer than Key Vault allows"};
  return out;
}

json::object tags_to_json(const Tags& tags) {
  json::object out;
  for (const auto& [name, value] : tags) out.emplace(name, value);
  return out;
}

// "https://vault[:443]/secrets/name/version": the last segment, when there are three.
VersionId version_of_id(const std::string& id) {
  const Result<net::Url> url = net::Url::parse(id);
  if (!url) return {};
  std::string_view path = url->target;
  if (!path.starts_with("/secrets/")) return {};
  const auto slash = path.rfind('/');
  if (slash <= std::string_view("/secrets").size()) return {};
  const std::string_view version = path.substr(slash + 1);
  return is_version(version) ? VersionId{std::string(version)} : VersionId{};
}

// Reads what bundles and list items have in common. Nothing when the id is missing.
std::optional<VaultVersion> read_version(const json::object& object, const Tags& tags) {
  VaultVersion out;
  out.id = version_of_id(text_at(object, "id"));
  if (out.id.empty()) return std::nullopt;
  if (const json::value* attributes = object.if_contains("attributes"); attributes != nullptr && attributes->is_object()) {
    const json::value* enabled = attributes->get_object().if_contains("enabled");
    out.enabled = enabled == nullptr || !enabled->is_bool() || enabled->get_bool();
    const json::value* created = attributes->get_object().if_contains("created");
    if (created != nullptr && created->is_int64()) out.created = Instant{std::chrono::seconds(created->get_int64())};
  }
  out.tags = our_tags(tags);
  return out;
}

bool is_managed(const json::object& object) {
  const json::value* managed = object.if_contains("managed");
  return object.if_contains("kid") != nullptr || (managed != nullptr && managed->is_bool() && managed->get_bool());
}

// KV-A7: the reaction to a 403 depends on its inner code. Old and emulated vaults have only the wording.
VaultRefusal forbidden(const ServiceError& error) {
  if (error.has_code("SecretDisabled") || error.disabled_secret) return VaultRefusal::Disabled;
  if (error.has_code("ForbiddenByFirewall") || error.has_code("ForbiddenByConnection")) return VaultRefusal::Firewall;
  return VaultRefusal::Permission;
}

// Writes and reads of one version: everything that is not a success, as an error.
Error refusal_error(const net::HttpReply& reply, Effect effect) {
  const ServiceError error = service_error_of(reply);
  if (reply.status == 403) {
    switch (forbidden(error)) {
      case VaultRefusal::Disabled:
        return {Errc::Denied, "the secret's version is disabled"};
      case VaultRefusal::Firewall:
        return {Errc::Denied, "the vault's firewall refuses this controller"};
      default:
        return {Errc::Denied, "the identity has no permission in the vault"};
    }
  }
  if (reply.status == 409) return {Errc::Conflict, "the secret is deleted and can be recovered"};
  return error_of_status(reply, error, effect, "Key Vault");
}

}  // namespace

AzureKeyVault::AzureKeyVault(std::shared_ptr<net::HttpClient> http, std::shared_ptr<TokenSource> tokens, Settings settings)
    : client_(std::move(http), std::move(tokens),
              Audience{std::move(settings.audience), std::move(settings.origin), {}, std::move(settings.tenant), "Key Vault"},
              settings.request_timeout) {}

Task<net::HttpReply> AzureKeyVault::call(Context context, std::string method, std::string path, std::shared_ptr<const Secret> body,
                                         Effect effect) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(path);
  request.headers.add("Accept", "application/json");
  if (body) request.headers.add("Content-Type", "application/json");
  request.secret_body = std::move(body);
  request.secret_reply = true;  // bundles hold the value; PUT echoes it
  request.reply_bytes_max = std::size_t{256} << 10;
  co_return co_await client_.send(std::move(context), client_.audience().origin, std::move(request), effect);
}

Task<VaultRefusal> AzureKeyVault::absence(Context context, std::string secret) {
  const std::string path = "/deletedsecrets/" + secret + "?" + std::string(api_version);
  const Result<net::HttpReply> reply = co_await call(std::move(context), "GET", path, nullptr, Effect::Read);
  if (!reply) co_return reply.error();
  if (reply->status == 200) co_return VaultRefusal::SoftDeleted;
  // Without permission to look among the deleted ones the difference cannot be told; writing will tell it by a conflict.
  if (reply->status == 404 || reply->status == 403) co_return VaultRefusal::Missing;
  co_return refusal_error(*reply, Effect::Read);
}

Task<AzureKeyVault::Current> AzureKeyVault::current(Context context, std::string secret) {
  if (!is_name(secret)) co_return bad_name();
  const std::string path = "/secrets/" + secret + "?" + std::string(api_version);
  Result<net::HttpReply> reply = co_await call(context, "GET", path, nullptr, Effect::Read);
  if (!reply) co_return reply.error();
  Current out;
  if (reply->status == 403) {
    out.facts.refusal = forbidden(service_error_of(*reply));
    co_return out;
  }
  if (reply->status == 404 && !service_error_of(*reply).code.empty()) {
    const Result<VaultRefusal> why = co_await absence(std::move(context), std::move(secret));
    if (!why) co_return why.error();
    out.facts.refusal = *why;
    co_return out;
  }
  if (reply->status != 200) co_return refusal_error(*reply, Effect::Read);
  const Result<SecretJson> body = SecretJson::parse(reply->secret_body);
  if (!body || !body->root().is_object()) co_return unreadable();
  const json::object& bundle = body->root().get_object();
  out.tags = read_tags(bundle);
  out.content_type = text_at(bundle, "contentType");
  out.facts.latest = read_version(bundle, out.tags);
  if (!out.facts.latest) co_return unreadable();
  if (is_managed(bundle)) {
    out.facts.refusal = VaultRefusal::Managed;
    co_return out;
  }
  Result<Secret> value = body->secret_at("/value");
  if (!value) co_return unreadable();
  out.value = std::move(*value);
  co_return out;
}

Task<SecretVault::Latest> AzureKeyVault::read_latest(Context context, std::string secret) {
  Result<Current> seen = co_await current(std::move(context), std::move(secret));
  if (!seen) co_return seen.error();
  co_return Latest{std::move(seen->facts), std::move(seen->value)};
}

Task<Secret> AzureKeyVault::read(Context context, std::string secret, VersionId version) {
  if (!is_name(secret) || !is_version(version.value)) co_return bad_name();
  const std::string path = "/secrets/" + secret + "/" + version.value + "?" + std::string(api_version);
  const Result<net::HttpReply> reply = co_await call(std::move(context), "GET", path, nullptr, Effect::Read);
  if (!reply) co_return reply.error();
  if (reply->status != 200) co_return refusal_error(*reply, Effect::Read);
  const Result<SecretJson> body = SecretJson::parse(reply->secret_body);
  if (!body || !body->root().is_object()) co_return unreadable();
  // A proxy that answers with another version must not pass for this one.
  if (version_of_id(text_at(body->root().get_object(), "id")) != version) co_return unreadable();
  Result<Secret> value = body->secret_at("/value");
  if (!value) co_return unreadable();
  co_return std::move(*value);
}

Task<AzureKeyVault::Page> AzureKeyVault::page(Context context, net::Url url) {
  net::HttpRequest request;
  request.target = url.target;
  request.headers.add("Accept", "application/json");
  const Result<net::HttpReply> reply = co_await client_.send(std::move(context), url.origin, std::move(request), Effect::Read);
  if (!reply) co_return reply.error();
  if (reply->status != 200) co_return refusal_error(*reply, Effect::Read);
  boost::system::error_code failed;
  const json::value root = json::parse(reply->body, failed);
  if (failed || !root.is_object()) co_return unreadable();
  Page out;
  const json::value* items = root.get_object().if_contains("value");
  if (items != nullptr && !items->is_null() && !items->is_array()) co_return unreadable();
  if (items != nullptr && items->is_array()) {
    for (const json::value& item : items->get_array()) {
      if (!item.is_object()) co_return unreadable();
      Entry entry;
      entry.tags = read_tags(item.get_object());
      const auto version = read_version(item.get_object(), entry.tags);
      if (!version) co_return unreadable();
      entry.version = *version;
      entry.managed = is_managed(item.get_object());
      out.entries.push_back(std::move(entry));
    }
  }
  const std::string next = text_at(root.get_object(), "nextLink");
  if (next.empty()) co_return out;
  const Result<net::Url> following = net::Url::parse(next);
  if (!following) co_return Error{Errc::Invalid, "Key Vault's next page has no usable address"};
  out.next = *following;
  co_return out;
}

Task<std::vector<AzureKeyVault::Entry>> AzureKeyVault::entries(Context context, std::string secret) {
  if (!is_name(secret)) co_return bad_name();
  std::vector<Entry> out;
  net::Url url{client_.audience().origin, "/secrets/" + secret + "/versions?" + std::string(api_version) + "&maxresults=25"};
  for (std::size_t read = 0; read < pages_max; ++read) {
    Result<Page> got = co_await page(context, url);
    if (!got && got.error().code == Errc::NotFound && read == 0) co_return out;
    if (!got) co_return got.error();
    std::move(got->entries.begin(), got->entries.end(), std::back_inserter(out));
    if (!got->next) co_return out;
    url = std::move(*got->next);
  }
  co_return Error{Errc::Invalid, "the secret has more versions than can be read"};
}

Task<std::vector<VaultVersion>> AzureKeyVault::versions(Context context, std::string secret) {
  Result<std::vector<Entry>> all = co_await entries(std::move(context), std::move(secret));
  if (!all) co_return all.error();
  std::vector<VaultVersion> out;
  out.reserve(all->size());
  for (Entry& entry : *all) out.push_back(std::move(entry.version));
  co_return out;
}

Task<AzureKeyVault::Entry> AzureKeyVault::entry(Context context, std::string secret, VersionId version) {
  Result<std::vector<Entry>> all = co_await entries(std::move(context), std::move(secret));
  if (!all) co_return all.error();
  const auto found = std::find_if(all->begin(), all->end(), [&version](const Entry& entry) { return entry.version.id == version; });
  if (found == all->end()) co_return Error{Errc::NotFound, "the secret has no such version"};
  if (found->managed) co_return Error{Errc::Invalid, "the secret belongs to a certificate"};
  co_return std::move(*found);
}

Task<VaultVersion> AzureKeyVault::append(Context context, std::string secret, const Secret& value, VersionTags tags) {
  if (value.size() > value_bytes_max) co_return Error{Errc::Invalid, "the value is larger than Key Vault allows"};
  const Result<Current> before = co_await current(context, secret);
  if (!before) co_return before.error();
  if (before->facts.refusal == VaultRefusal::Managed) co_return Error{Errc::Invalid, "the secret belongs to a certificate"};
  if (before->facts.refusal == VaultRefusal::SoftDeleted) co_return Error{Errc::Conflict, "the secret is deleted and can be recovered"};
  const Result<Tags> all = merged(before->tags, tags);
  if (!all) co_return all.error();

  SecretBuffer body(value.size() + 1'024);
  body.append(R"({"value":)");
  value.expose([&body](std::string_view text) { append_json_string(body, text); });
  body.append(R"(,"tags":)").append(json::serialize(tags_to_json(*all)));
  if (!before->content_type.empty()) body.append(R"(,"contentType":)").append(json::serialize(json::value(before->content_type)));
  body.append(R"(,"attributes":{"enabled":true}})");
  const std::string path = "/secrets/" + secret + "?" + std::string(api_version);
  const auto sealed = std::make_shared<const Secret>(std::move(body).finish());
  const Result<net::HttpReply> reply = co_await call(std::move(context), "PUT", path, sealed, Effect::Write);
  if (!reply) co_return reply.error();
  if (reply->status != 200) co_return refusal_error(*reply, Effect::Write);
  const Error lost{Errc::OutcomeUnknown, "Key Vault gave an unreadable answer to a write"};
  const Result<SecretJson> echo = SecretJson::parse(reply->secret_body);
  if (!echo || !echo->root().is_object()) co_return lost;
  const auto version = read_version(echo->root().get_object(), *all);
  if (!version) co_return lost;
  co_return *version;
}

Task<> AzureKeyVault::patch(Context context, std::string secret, VersionId version, std::string body) {
  const std::string path = "/secrets/" + secret + "/" + version.value + "?" + std::string(api_version);
  const auto sealed = std::make_shared<const Secret>(Secret::copy_of(body));
  const Result<net::HttpReply> reply = co_await call(std::move(context), "PATCH", path, sealed, Effect::Write);
  if (!reply) co_return reply.error();
  if (reply->status != 200) co_return refusal_error(*reply, Effect::Write);
  co_return ok();
}

Task<> AzureKeyVault::tag(Context context, std::string secret, VersionId version, VersionTags tags) {
  if (!is_version(version.value)) co_return bad_name();
  const Result<Entry> found = co_await entry(context, secret, version);
  if (!found) co_return found.error();
  const Result<Tags> all = merged(found->tags, tags);
  if (!all) co_return all.error();
  if (*all == found->tags) co_return ok();
  json::object body;
  body["tags"] = tags_to_json(*all);
  std::string text = json::serialize(body);
  co_return co_await patch(std::move(context), std::move(secret), std::move(version), std::move(text));
}

Task<> AzureKeyVault::set_enabled(Context context, std::string secret, VersionId version, bool enabled) {
  if (!is_version(version.value)) co_return bad_name();
  const Result<Entry> found = co_await entry(context, secret, version);
  if (!found) co_return found.error();
  if (found->version.enabled == enabled) co_return ok();
  // Nobody reads a staged value by name alone, so its newest version may go (protocol.md 5).
  if (!enabled && !secret.starts_with(staging_prefix)) {
    const Result<Current> newest = co_await current(context, secret);
    if (!newest) co_return newest.error();
    // Disabled: the newest version is disabled already, so this one, which is enabled, is not the newest.
    const VaultRefusal refusal = newest->facts.refusal;
    const bool told = refusal == VaultRefusal::None || refusal == VaultRefusal::Disabled;
    if (!told) co_return Error{Errc::Denied, "which version is the newest cannot be told"};
    if (newest->facts.latest && newest->facts.latest->id == version) co_return Error{Errc::Invalid, "the newest version must stay enabled"};
  }
  std::string body = enabled ? R"({"attributes":{"enabled":true}})" : R"({"attributes":{"enabled":false}})";
  co_return co_await patch(std::move(context), std::move(secret), std::move(version), std::move(body));
}

}  // namespace keyturn
