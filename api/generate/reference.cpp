#include "api/generate/reference.h"

#include <boost/json/serialize.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace keyturn::generate {
namespace {

using api::KindSchema;
using api::Schema;

constexpr std::string_view generated = "<!-- Written by keyturn-generate from the schema in api/. Change it there. -->\n";

// A pipe would end the cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? "\\|" : std::string(1, c);
  }
  return out;
}

std::string type_of(const Schema& schema) {
  switch (schema.type) {
    case Schema::Type::Object:
      return "object";
    case Schema::Type::Array:
      return schema.list_type == "set" ? "set of " + type_of(*schema.items) : "list of " + type_of(*schema.items);
    case Schema::Type::String:
      return schema.format == "date-time" ? "time" : "string";
    case Schema::Type::Integer:
      return "integer";
    case Schema::Type::Boolean:
      return "boolean";
  }
  return "object";
}

std::string range(const std::optional<std::int64_t>& least, const std::optional<std::int64_t>& most, std::string_view unit) {
  const std::string suffix = unit.empty() ? "" : " " + std::string(unit);
  if (least && most) {
    return std::to_string(*least) + " to " + std::to_string(*most) + suffix + ". ";
  }
  if (least) {
    return "At least " + std::to_string(*least) + suffix + ". ";
  }
  return most ? "At most " + std::to_string(*most) + suffix + ". " : "";
}

std::string limits_of(const Schema& schema) {
  std::string limits;
  for (const auto& word : schema.enumeration) {
    limits += (limits.empty() ? "`" : ", `") + word + "`";
  }
  limits += limits.empty() ? "" : ". ";
  limits += range(schema.minimum, schema.maximum, "");
  limits += range(schema.min_length, schema.max_length, "characters");
  limits += range(schema.min_items, schema.max_items, "items");
  if (!schema.pattern.empty()) {
    limits += "Pattern `" + schema.pattern + "`. ";
  }
  if (!schema.default_value.is_null()) {
    limits += "Default `" + boost::json::serialize(schema.default_value) + "`. ";
  }
  if (schema.type == Schema::Type::Array && schema.items->type != Schema::Type::Object) {
    limits += limits_of(*schema.items);
  }
  while (limits.ends_with(' ')) {
    limits.pop_back();
  }
  return limits;
}

void rows(const Schema& schema, const std::string& path, std::string& out) {
  for (const auto& property : schema.properties) {
    const std::string field = path + "." + property.name;
    bool is_required = false;
    for (const auto& name : schema.required) {
      is_required = is_required || name == property.name;
    }
    out += "| `" + field + "`" + (is_required ? " **required**" : "") + " | " + type_of(property.schema) + " | " +
           cell(property.schema.description) + " | " + cell(limits_of(property.schema)) + " |\n";
    const bool is_list = property.schema.type == Schema::Type::Array;
    rows(is_list ? *property.schema.items : property.schema, is_list ? field + "[]" : field, out);
  }
}

std::string table(const Schema& schema, const std::string& path) {
  std::string out = "| field | type | meaning | limits |\n|---|---|---|---|\n";
  rows(schema, path, out);
  return out;
}

std::string page_name(const KindSchema& kind) { return kind.singular + ".md"; }

std::string columns(const KindSchema& kind) {
  std::string out = "| column | shown | meaning | from |\n|---|---|---|---|\n";
  for (const auto& column : kind.columns) {
    out += "| " + column.name + " | " + (column.priority == 0 ? "always" : "with `-o wide`") + " | " + cell(column.description) + " | `" +
           cell(column.json_path) + "` |\n";
  }
  return out;
}

std::string rules(const KindSchema& kind) {
  if (kind.rules.empty()) {
    return {};
  }
  std::string out =
      "\n## Rules\nBeyond the limits of single fields. Every rule that is broken is reported, all at once.\n\n| at | what is wrong and "
      "what to write instead |\n|---|---|\n";
  for (const auto& rule : kind.rules) {
    out += "| `" + rule.path + rule.field + "` | " + cell(rule.message) + " |\n";
  }
  return out;
}

std::string selectors(const KindSchema& kind) {
  std::string out;
  for (const auto& field : kind.selectable_fields) {
    out += (out.empty() ? "Selectable with `--field-selector`: `" : ", `") + field + "`";
  }
  return out.empty() ? out : out + ".\n\n";
}

}  // namespace

std::string reference_page(const KindSchema& kind) {
  std::string out(generated);
  out += "# " + kind.kind + "\n" + kind.description + "\n\n";
  out += "`keyturn.dev/v1alpha1`, " + std::string(kind.namespaced ? "namespaced" : "cluster-scoped") + "; `kubectl get " + kind.plural +
         "`, short `" + kind.short_name + "`, category `rotation`. There is no scale subresource: nothing here has a size.\n\n";
  out += "## Columns\n" + columns(kind) + "\n" + selectors(kind);
  out += "## spec\n" + kind.spec.description + "\n\n" + table(kind.spec, "spec");
  out += rules(kind);
  out += "\n## status\n" + kind.status.description + "\n\n" + table(kind.status, "status");
  return out;
}

std::string reference_index(std::span<const KindSchema> kinds) {
  std::string out(generated);
  out += "# Reference\nThe three kinds of the API. `kubectl explain` shows the same.\n\n| kind | short | what it is for |\n|---|---|---|\n";
  for (const auto& kind : kinds) {
    out += "| [" + kind.kind + "](" + page_name(kind) + ") | `" + kind.short_name + "` | " + cell(kind.description) + " |\n";
  }
  out +=
      "\nThe reasons that conditions, events, metrics and the command line use are in [the runbook](../runbook/README.md); the "
      "hazards that `keyturn plan` shows are in [hazards](hazards.md).\n";
  return out;
}

std::string hazards_page(std::span<const api::hazard::Entry> entries) {
  std::string out("<!-- Written by keyturn-generate from api/hazards.cpp. Change it there. -->\n");
  out +=
      "# Hazards\n`keyturn plan` lists what may go wrong with a rotation before anything is touched, worst first. A hazard that is "
      "Blocking keeps the run from starting. The plan's hash covers all of them: an approval does not hold for a plan whose hazards have "
      "changed.\n\n| hazard | severity | what it means | what to do |\n|---|---|---|---|\n";
  for (const auto& entry : entries) {
    out += "| " + std::string(entry.hazard) + " | " + std::string(entry.severity) + " | " + cell(entry.meaning) + " | " +
           cell(entry.action) + " |\n";
  }
  return out;
}

}  // namespace keyturn::generate
