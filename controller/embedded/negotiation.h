// Which form of reply a client takes, from its Accept header, and which form its body has, from its Content-Type.
#pragma once

#include <optional>
#include <string_view>

namespace keyturn::embedded {

enum class Form : std::uint8_t { Json, Yaml, Table, PartialMetadata };
// The first acceptable form in the header's order; nothing when there is none (406). Absent = JSON.
std::optional<Form> accepted_form(std::optional<std::string_view> accept);

// Whether the header asks for the aggregated form of discovery, version v2.
bool accepts_aggregated_discovery(std::optional<std::string_view> accept);
// Whether the OpenAPI v2 document is wanted in protobuf.
bool accepts_openapi_protobuf(std::optional<std::string_view> accept);
// Whether text/html is named: browsers do, at all navigation, and no client of the API does. A wildcard is no wish for a page.
bool accepts_html(std::optional<std::string_view> accept);

// "application/json; charset=utf-8" -> "application/json".
std::string_view media_type(std::string_view content_type);

}  // namespace keyturn::embedded
