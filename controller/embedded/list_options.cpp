#include "controller/embedded/list_options.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/hash.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Failure list_violation(std::string field, std::string reason, std::string message) {
  return invalid_options("ListOptions", {{std::move(reason), std::move(field), std::move(message)}});
}
Failure forbidden_option(std::string field, std::string_view why) {
  std::string message = fmt::format("Forbidden: {}", why);
  return list_violation(std::move(field), "FieldValueForbidden", std::move(message));
}

Answer<std::optional<std::int64_t>> integer_parameter(const Query& query, std::string_view name) {
  const std::string text = query.get(name);
  if (text.empty()) return std::optional<std::int64_t>{};
  const std::optional<std::int64_t> value = number<std::int64_t>(text);
  if (!value) return bad_request(fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", text));
  return value;
}

Answer<> read_continue(const Query& query, ListRequest& request) {
  const std::string token = query.get("continue");
  if (token.empty()) return done();
  const std::optional<std::string> text = from_base64url(token);
  if (!text) return bad_request("invalid continue token: continue key is not valid: illegal base64 data at input byte 4");
  boost::system::error_code ec;
  const json::value value = json::parse(*text, ec);
  const json::object* fields = ec ? nullptr : value.if_object();
  const json::value* start = fields ? fields->if_contains("start") : nullptr;
  const json::value* version = fields ? fields->if_contains("rv") : nullptr;
  if (!start || !start->is_string() || start->get_string().empty() || !version || !version->is_int64() || version->get_int64() == 0)
    return bad_request("invalid continue token: continue key is not valid: incorrect encoded start resourceVersion");
  request.continue_key = std::string(start->get_string());
  if (request.continue_key.back() == '\0') request.continue_key.pop_back();
  request.continue_version = version->get_int64();
  if (request.version_given) return bad_request("specifying resource version is not allowed when using continue");
  return done();
}

// The rules of resourceVersionMatch and sendInitialEvents, in the order in which genuine servers check them.
Answer<> check_match(const Query& query, const ListRequest& request) {
  const std::string match = query.get("resourceVersionMatch");
  if (query.has("sendInitialEvents") && !request.watch)
    return forbidden_option("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (request.initial_events && match != "NotOlderThan")
    return forbidden_option("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  if (match.empty()) return done();
  if (request.watch && !query.has("sendInitialEvents"))
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  if (!request.watch && !request.version_given)
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (!query.get("continue").empty())
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  if (match != "Exact" && match != "NotOlderThan")
    return list_violation("resourceVersionMatch", "FieldValueNotSupported",
                          fmt::format("Unsupported value: \"{}\": supported values: \"Exact\", \"NotOlderThan\", \"\"", match));
  if (match == "Exact" && request.version == 0)
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  return done();
}

Answer<> read_version(const Query& query, ListRequest& request) {
  const std::string text = query.get("resourceVersion");
  const std::optional<ResourceVersion> version = parse_version(text);
  if (!version) {
    return bad_request(fmt::format(
        "invalid resource version: resourceVersion: Invalid value: \"{}\": strconv.ParseUint: parsing \"{}\": invalid syntax", text, text));
  }
  request.version_given = !text.empty();
  request.version = *version;
  return done();
}

Answer<> read_manager(const Query& query, std::string_view kind, bool apply, std::string_view user_agent, WriteOptions& options) {
  options.field_manager = query.get("fieldManager");
  if (options.field_manager.size() > 128)
    return invalid_options(kind, {{"FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes"}});
  for (std::size_t i = 0; i < options.field_manager.size(); ++i) {
    const auto c = static_cast<unsigned char>(options.field_manager[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    return invalid_options(kind, {{"FieldValueInvalid", "fieldManager",
                                   fmt::format("Invalid value: \"\\x{:02x}\": invalid character U+{:04X} (at position {})", c, c, i)}});
  }
  if (!options.field_manager.empty()) return done();
  if (apply) return invalid_options(kind, {{"FieldValueRequired", "fieldManager", "Required value: is required for apply patch"}});
  options.field_manager = std::string(user_agent.substr(0, user_agent.find('/')));
  if (options.field_manager.empty()) options.field_manager = "unknown";
  return done();
}

}  // namespace

std::optional<ResourceVersion> parse_version(std::string_view text) {
  if (text.empty()) return ResourceVersion{0};
  return number<ResourceVersion>(text);
}

Answer<ListRequest> parse_list_request(const Query& query, const ResourceType& type) {
  ListRequest request;
  Answer<LabelSelector> labels = LabelSelector::parse(query.get("labelSelector"));
  if (!labels) return labels.error();
  Answer<FieldSelector> fields = FieldSelector::parse(query.get("fieldSelector"), type);
  if (!fields) return fields.error();
  request.labels = std::move(*labels);
  request.fields = std::move(*fields);
  const Answer<std::optional<std::int64_t>> limit = integer_parameter(query, "limit");
  if (!limit) return limit.error();
  if (*limit && **limit > 0) request.limit = static_cast<std::size_t>(**limit);
  const Answer<std::optional<std::int64_t>> timeout = integer_parameter(query, "timeoutSeconds");
  if (!timeout) return timeout.error();
  request.timeout_s = *timeout;
  request.watch = query.flag("watch");
  request.bookmarks = query.flag("allowWatchBookmarks");
  request.initial_events = query.flag("sendInitialEvents");
  request.exact = query.get("resourceVersionMatch") == "Exact";
  if (const Answer<> version = read_version(query, request); !version) return version.error();
  if (const Answer<> match = check_match(query, request); !match) return match.error();
  if (const Answer<> token = read_continue(query, request); !token) return token.error();
  return request;
}

std::string continue_token(std::int64_t version, std::string_view key) {
  std::string start(key);
  start.push_back('\0');
  return to_base64url(json::serialize(json::object{{"v", "meta.k8s.io/v1"}, {"rv", version}, {"start", start}}));
}

Answer<WriteOptions> parse_write_options(const Query& query, std::string_view kind, bool apply, std::string_view user_agent) {
  WriteOptions options;
  for (const std::string& value : query.all("dryRun")) {
    if (value != "All")
      return invalid_options(
          kind, {{"FieldValueNotSupported", "dryRun", fmt::format("Unsupported value: \"{}\": supported values: \"All\"", value)}});
    options.dry_run = true;
  }
  if (query.has("force") && !apply)
    return invalid_options(kind, {{"FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch"}});
  options.force = query.flag("force");
  const std::string validation = query.get("fieldValidation");
  if (validation == "Strict")
    options.validation = FieldValidation::Strict;
  else if (validation == "Ignore")
    options.validation = FieldValidation::Ignore;
  else if (!validation.empty() && validation != "Warn")
    return invalid_options(
        kind, {{"FieldValueNotSupported", "fieldValidation",
                fmt::format("Unsupported value: \"{}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", validation)}});
  if (const Answer<> manager = read_manager(query, kind, apply, user_agent, options); !manager) return manager.error();
  return options;
}

}  // namespace keyturn::embedded
