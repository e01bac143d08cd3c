#include "controller/embedded/resource_endpoints.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "controller/embedded/events_view.h"
#include "controller/embedded/json_path.h"
#include "controller/embedded/request_body.h"
#include "controller/embedded/yaml_json.h"

namespace keyturn::embedded {
namespace {

namespace json = boost::json;

constexpr std::string_view expired_list =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the "
    "continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

IncludeObject include_of(const Query& query) {
  const std::string text = query.get("includeObject");
  return text == "None" ? IncludeObject::None : text == "Object" ? IncludeObject::Object : IncludeObject::Metadata;
}

net::HttpReply in_text_form(Form form, int status, const json::value& value) {
  net::HttpReply reply = json_reply(status, value);
  if (form != Form::Yaml) return reply;
  reply.headers.set("Content-Type", "application/yaml");
  reply.body = write_yaml(value);
  return reply;
}

// As Go's %q: a header must stay one line.
std::string quoted(std::string_view text) { return json::serialize(json::string(text)); }

// A version of the future can only come from a store that was restored; waiting for it helps nobody.
Answer<> check_future(const ListRequest& request, ResourceVersion current) {
  if (request.version > current) return too_large_version(request.version, current);
  return done();
}

Answer<> check_subresource(const ResourceType& type, const Route& route, const std::string& verb) {
  if (route.subresource.empty()) return done();
  if (route.subresource != "status" || !type.has_status) return not_found(type, route.name);
  if (verb == "create" || verb == "delete") return method_not_allowed(type, verb);
  return done();
}

}  // namespace

Answer<> check_call(const ResourceType& type, const Route& route, const std::string& method, const std::string& verb) {
  if (route.trailing) return page_not_found();
  if (verb.empty()) return method_not_allowed(type, "");
  if (type.namespaced == route.ns.empty()) {
    // Only reading works across namespaces, and only kinds with namespaces live in one.
    const bool all_namespaces = type.namespaced && route.name.empty() && (verb == "list" || verb == "watch");
    if (!all_namespaces) return page_not_found();
  }
  if (const Answer<> sub = check_subresource(type, route, verb); !sub) return sub.error();
  if (route.name.empty() && verb == "update") return bad_request("name must be provided");
  if (route.name.empty() && verb == "patch") return method_not_allowed(type, "patch");
  if (!route.name.empty() && method == "POST") return method_not_allowed(type, "create");
  const bool changes_definition = type.of == TypeOf::Definition && (verb == "delete" || verb == "deletecollection");
  if (changes_definition) return method_not_allowed(type, verb);
  if (type.of == TypeOf::Namespace && verb == "deletecollection") return method_not_allowed(type, verb);
  return done();
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::serve(Context context, ResourceCall call) {
  if (!accepted_form(call.headers.find("Accept"))) co_return not_acceptable();
  Answer<net::HttpReply> reply = page_not_found();
  if (call.verb == "get")
    reply = co_await get(context, std::move(call));
  else if (call.verb == "list")
    reply = co_await list(context, std::move(call));
  else if (call.verb == "create")
    reply = co_await create(context, std::move(call));
  else if (call.verb == "update")
    reply = co_await update(context, std::move(call));
  else if (call.verb == "patch")
    reply = co_await patch(context, std::move(call));
  else if (call.verb == "delete")
    reply = co_await remove(context, std::move(call));
  else if (call.verb == "deletecollection")
    reply = co_await remove_all(context, std::move(call));
  co_return reply;
}

Answer<net::HttpReply> ResourceEndpoints::object_reply(const ResourceCall& call, int status, json::object object) const {
  const Form form = accepted_form(call.headers.find("Accept")).value_or(Form::Json);
  if (form == Form::PartialMetadata) return in_text_form(form, status, partial_metadata(object));
  if (form != Form::Table) return in_text_form(form, status, object);
  json::object metadata{{"resourceVersion", metadata_text(object, "resourceVersion")}};
  json::array rows{table_row(*call.type, object, include_of(call.route.query), clock_.now())};
  return json_reply(status, table_of(table_columns(*call.type), std::move(rows), std::move(metadata)));
}

Answer<net::HttpReply> ResourceEndpoints::written_reply(const ResourceCall& call, Written written) const {
  Answer<net::HttpReply> reply = object_reply(call, written.created ? 201 : 200, std::move(written.object));
  if (reply)
    for (const std::string& warning : written.warnings) reply->headers.add("Warning", fmt::format("299 - {}", quoted(warning)));
  return reply;
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::get(Context context, ResourceCall call) {
  const std::optional<ResourceVersion> version = parse_version(call.route.query.get("resourceVersion"));
  if (!version) co_return bad_request("resourceVersion: Invalid value: strconv.ParseUint: invalid syntax");
  if (*version > store_.version()) co_return too_large_version(*version, store_.version());
  const Result<StoredPtr> found = co_await store_.get(context, call.type->stored_as(), call.key());
  if (!found) co_return store_failure(found.error(), *call.type, call.route.name);
  co_return object_reply(call, 200, present(*call.type, (*found)->body));
}

Awaitable<Answer<ResourceEndpoints::Page>> ResourceEndpoints::read_page(Context context, const ResourceType* type, std::string ns,
                                                                        ListRequest request) {
  Page page;
  ListOptions options{.ns = ns, .limit = request.limit, .after = request.continue_key};
  if (request.continue_version > 0) options.at = static_cast<ResourceVersion>(request.continue_version);
  if (request.exact) options.at = request.version;
  std::string next;
  ResourceVersion version = 0;
  // Under a selector one page of the store may hold too few: go on until the client's limit is met.
  while (true) {
    Result<ObjectList> part = co_await store_.list(context, type->stored_as(), options);
    if (!part && part.error().code == Errc::Expired && !request.continue_key.empty()) {
      Failure failure = expired(std::string(expired_list));
      failure.continue_token = continue_token(-1, request.continue_key);
      co_return failure;
    }
    if (!part) co_return store_failure(part.error(), *type, "");
    version = part->version;
    next = part->next;
    for (const StoredPtr& item : part->items) {
      json::object object = present(*type, item->body);
      if (request.matches(object)) page.items.push_back(std::move(object));
    }
    if (next.empty() || request.limit == 0 || page.items.size() >= request.limit) break;
    options.after = next;
    options.at = part->version;
    options.limit = request.limit - page.items.size();
  }
  page.metadata["resourceVersion"] = std::to_string(version);
  if (!next.empty())
    page.metadata["continue"] = continue_token(request.continue_version < 0 ? -1 : static_cast<std::int64_t>(version), next);
  co_return page;
}

Answer<net::HttpReply> ResourceEndpoints::list_reply(const ResourceCall& call, Page page) const {
  const Form form = accepted_form(call.headers.find("Accept")).value_or(Form::Json);
  if (form == Form::Table) {
    json::array rows;
    for (const json::object& object : page.items) rows.push_back(table_row(*call.type, object, include_of(call.route.query), clock_.now()));
    return json_reply(200, table_of(table_columns(*call.type), std::move(rows), std::move(page.metadata)));
  }
  json::array items;
  for (json::object& object : page.items) items.push_back(form == Form::PartialMetadata ? partial_metadata(object) : std::move(object));
  const bool partial = form == Form::PartialMetadata;
  return in_text_form(form, 200,
                      json::object{{"apiVersion", partial ? "meta.k8s.io/v1" : call.type->group_version()},
                                   {"kind", partial ? "PartialObjectMetadataList" : call.type->kind + "List"},
                                   {"metadata", std::move(page.metadata)},
                                   {"items", std::move(items)}});
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::list(Context context, ResourceCall call) {
  Answer<ListRequest> request = parse_list_request(call.route.query, *call.type);
  if (!request) co_return request.error();
  if (const Answer<> future = check_future(*request, store_.version()); !future) co_return future.error();
  Answer<Page> page = co_await read_page(context, call.type, call.route.ns, std::move(*request));
  if (!page) co_return page.error();
  co_return list_reply(call, std::move(*page));
}

Awaitable<Answer<>> ResourceEndpoints::watch(Context context, ResourceCall call, net::ReplyWriter* out) {
  const std::optional<Form> form = accepted_form(call.headers.find("Accept"));
  if (!form) co_return not_acceptable();
  Answer<ListRequest> request = parse_list_request(call.route.query, *call.type);
  if (!request) co_return request.error();
  WatchSpec spec{call.type, call.route.ns, std::move(*request), *form, include_of(call.route.query)};
  WatchStream stream(executor_, clock_, random_, store_, open_, std::move(spec));
  co_await stream.run(context, out);
  co_return done();
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::create(Context context, ResourceCall call) {
  const Answer<WriteOptions> options = parse_write_options(call.route.query, "CreateOptions", false, call.header("User-Agent"));
  if (!options) co_return options.error();
  Answer<RequestBody> body = read_object_body(call.header("Content-Type"), call.body, call.type->kind);
  if (!body) co_return body.error();
  Answer<Written> written = co_await pipeline_.create(context, call.type, call.route.ns, std::move(body->object),
                                                      std::move(body->duplicates), *options, call.user);
  if (!written) co_return written.error();
  co_return written_reply(call, std::move(*written));
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::update(Context context, ResourceCall call) {
  const Answer<WriteOptions> options = parse_write_options(call.route.query, "UpdateOptions", false, call.header("User-Agent"));
  if (!options) co_return options.error();
  Answer<RequestBody> body = read_object_body(call.header("Content-Type"), call.body, call.type->kind);
  if (!body) co_return body.error();
  // Before the object is looked for: a client that names the wrong object must hear that, not that the other one is missing.
  if (const Answer<> envelope = check_envelope(*call.type, body->object, call.route.ns, call.route.name); !envelope)
    co_return envelope.error();
  ChangeRequest request{Replacement{std::move(body->object)}, std::move(body->duplicates)};
  Answer<Written> written = co_await pipeline_.change(context, call.type, call.key(), call.part(), std::move(request), *options, call.user);
  if (!written) co_return written.error();
  co_return written_reply(call, std::move(*written));
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::patch(Context context, ResourceCall call) {
  const std::string content_type = call.header("Content-Type");
  const Answer<WriteOptions> options =
      parse_write_options(call.route.query, "PatchOptions", is_apply(content_type), call.header("User-Agent"));
  if (!options) co_return options.error();
  Answer<ChangeRequest> request = read_patch_body(content_type, call.body, *call.type);
  if (!request) co_return request.error();
  Answer<Written> written =
      co_await pipeline_.change(context, call.type, call.key(), call.part(), std::move(*request), *options, call.user);
  if (!written) co_return written.error();
  co_return written_reply(call, std::move(*written));
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::remove(Context context, ResourceCall call) {
  const Answer<DeleteOptions> options = read_delete_options(call.route.query, call.header("Content-Type"), call.body);
  if (!options) co_return options.error();
  Answer<Written> written = co_await pipeline_.remove(context, call.type, call.key(), *options);
  if (!written) co_return written.error();
  if (!written->removed) co_return object_reply(call, 200, std::move(written->object));
  const std::string uid(metadata_text(written->object, "uid"));
  co_return in_text_form(accepted_form(call.headers.find("Accept")).value_or(Form::Json), 200,
                         success_status(*call.type, call.route.name, uid));
}

Awaitable<Answer<net::HttpReply>> ResourceEndpoints::remove_all(Context context, ResourceCall call) {
  Answer<ListRequest> request = parse_list_request(call.route.query, *call.type);
  if (!request) co_return request.error();
  const Answer<DeleteOptions> options = read_delete_options(call.route.query, call.header("Content-Type"), call.body);
  if (!options) co_return options.error();
  Answer<Page> page = co_await read_page(context, call.type, call.route.ns, std::move(*request));
  if (!page) co_return page.error();
  for (const json::object& object : page->items) {
    const ObjectKey key{call.route.ns, std::string(metadata_text(object, "name"))};
    const Answer<Written> removed = co_await pipeline_.remove(context, call.type, key, *options);
    if (!removed && removed.error().code != 404) co_return removed.error();
  }
  co_return list_reply(call, std::move(*page));
}

}  // namespace keyturn::embedded
