#include "controller/embedded/negotiation.h"

#include <string>
#include <vector>

namespace keyturn::embedded {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t at = text.find(separator);
    parts.push_back(trim(text.substr(0, at)));
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  }
  return parts;
}

std::string_view parameter(const std::vector<std::string_view>& range, std::string_view name) {
  for (const std::string_view part : range)
    if (part.starts_with(name) && part.substr(name.size()).starts_with('=')) return part.substr(name.size() + 1);
  return {};
}

std::optional<Form> form_of(const std::vector<std::string_view>& range) {
  const std::string_view type = range[0];
  const std::string_view as = parameter(range, "as");
  const bool json = type == "application/json" || type == "*/*" || type == "application/*";
  if (type == "application/yaml" && as.empty()) return Form::Yaml;
  if (!json) return std::nullopt;
  if (as.empty()) return Form::Json;
  const std::string_view version = parameter(range, "v");
  if (version != "v1" && version != "v1beta1") return std::nullopt;
  if (as == "Table") return Form::Table;
  if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") return Form::PartialMetadata;
  return std::nullopt;
}

}  // namespace

std::optional<Form> accepted_form(std::optional<std::string_view> accept) {
  if (!accept || trim(*accept).empty()) return Form::Json;
  for (const std::string_view range : split(*accept, ',')) {
    const std::vector<std::string_view> parts = split(range, ';');
    if (parts.empty()) continue;
    if (const std::optional<Form> form = form_of(parts)) return form;
  }
  return std::nullopt;
}

bool accepts_aggregated_discovery(std::optional<std::string_view> accept) {
  if (!accept) return false;
  for (const std::string_view range : split(*accept, ',')) {
    const std::vector<std::string_view> parts = split(range, ';');
    if (!parts.empty() && parameter(parts, "as") == "APIGroupDiscoveryList" && parameter(parts, "v") == "v2" &&
        parameter(parts, "g") == "apidiscovery.k8s.io")
      return true;
    // The plain form stands in the list too, as the fall-back: whichever is named first wins.
    if (!parts.empty() && parts.size() == 1 && parts[0] == "application/json") return false;
  }
  return false;
}

bool accepts_openapi_protobuf(std::optional<std::string_view> accept) {
  return accept && accept->find("com.github.proto-openapi.spec.v2@v1.0+protobuf") != std::string_view::npos;
}

bool accepts_html(std::optional<std::string_view> accept) {
  if (!accept) return false;
  for (const std::string_view range : split(*accept, ','))
    if (media_type(range) == "text/html") return true;
  return false;
}

std::string_view media_type(std::string_view content_type) { return trim(content_type.substr(0, content_type.find(';'))); }

}  // namespace keyturn::embedded
