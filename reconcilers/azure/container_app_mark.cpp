#include "reconcilers/azure/container_app_mark.h"

#include <algorithm>

#include "base/hash.h"

namespace keyturn {
namespace {

using Stage = ConvergenceMark::Stage;
using Style = ArmOperation::Style;

std::string_view word_of(Stage stage) {
  switch (stage) {
    case Stage::Refused:
      return "refused";
    case Stage::Waiting:
      return "since";
    case Stage::Writing:
      return "writing";
    case Stage::Synced:
      return "synced";
  }
  return "";
}

char letter_of(Style style) {
  switch (style) {
    case Style::AsyncOperation:
      return 'A';
    case Style::Location:
      return 'L';
    case Style::ProvisioningState:
      return 'P';
  }
  return 'P';
}

std::string format_operation(const ArmOperation& operation) {
  return letter_of(operation.style) +
         percent_encode(operation.url.origin.scheme + "://" + operation.url.origin.authority() + operation.url.target);
}

std::optional<ArmOperation> parse_operation(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto decoded = percent_decode(text.substr(1));
  if (!decoded) return std::nullopt;
  const Result<net::Url> url = net::Url::parse(*decoded);
  if (!url) return std::nullopt;
  switch (text.front()) {
    case 'A':
      return ArmOperation{Style::AsyncOperation, *url};
    case 'L':
      return ArmOperation{Style::Location, *url};
    case 'P':
      return ArmOperation{Style::ProvisioningState, *url};
    default:
      return std::nullopt;
  }
}

// Takes the fields of a mark off the front, one after another.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  bool literal(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // ";name=value" up to the next semicolon.
  std::optional<std::string_view> field(std::string_view name) {
    std::string_view rest = rest_;
    if (!rest.starts_with(';') || !rest.substr(1).starts_with(name)) return std::nullopt;
    rest.remove_prefix(1 + name.size());
    if (!rest.starts_with('=')) return std::nullopt;
    rest.remove_prefix(1);
    const std::string_view value = rest.substr(0, rest.find(';'));
    rest_ = rest.substr(value.size());
    return value;
  }
  std::optional<Instant> time(std::string_view name) {
    const auto value = field(name);
    if (!value) return std::nullopt;
    return parse_rfc3339(*value);
  }

 private:
  std::string_view rest_;
};

bool parse_revisions(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto decoded = percent_decode(name);
    if (!decoded || decoded->empty()) return false;
    out.push_back(*decoded);
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return !out.empty();
}

bool parse_stage(Fields& fields, ConvergenceMark& mark) {
  for (const Stage stage : {Stage::Refused, Stage::Waiting, Stage::Writing, Stage::Synced}) {
    const auto at = fields.time(word_of(stage));
    if (!at) continue;
    mark.stage = stage;
    mark.at = *at;
    return true;
  }
  return false;
}

}  // namespace

std::string format_mark(const ConvergenceMark& mark) {
  std::string out = "v1;version=" + percent_encode(mark.version.value);
  out += mark.reload == api::ReloadMode::Restart ? ";reload=restart" : ";reload=poll";
  out += ";refs=" + percent_encode(mark.references) + ";errors=" + percent_encode(mark.errors);
  out += ";" + std::string(word_of(mark.stage)) + "=" + format_seconds(mark.at);
  if (mark.stage == Stage::Writing && mark.operation) out += ";op=" + format_operation(*mark.operation);
  if (mark.stage != Stage::Synced || !mark.restarted) return out;
  out += ";restarted=" + format_seconds(*mark.restarted) + ";revisions=";
  for (std::size_t i = 0; i < mark.revisions.size(); ++i) out += (i == 0 ? "" : ",") + percent_encode(mark.revisions[i]);
  return out;
}

std::optional<ConvergenceMark> parse_mark(std::string_view text) {
  if (text.size() > mark_bytes_max) return std::nullopt;
  Fields fields(text);
  ConvergenceMark mark;
  if (!fields.literal("v1")) return std::nullopt;
  const auto version = fields.field("version");
  const auto reload = fields.field("reload");
  const auto references = fields.field("refs");
  const auto errors = fields.field("errors");
  if (!version || version->empty() || !references || !errors || !reload || (*reload != "restart" && *reload != "poll")) return std::nullopt;
  mark.version.value = percent_decode(*version).value_or("");
  mark.reload = *reload == "restart" ? api::ReloadMode::Restart : api::ReloadMode::Poll;
  mark.references = percent_decode(*references).value_or("");
  mark.errors = percent_decode(*errors).value_or("");
  if (!parse_stage(fields, mark)) return std::nullopt;
  if (mark.stage == Stage::Writing) {
    mark.operation = parse_operation(fields.field("op").value_or(""));
    if (!mark.operation) return std::nullopt;
  }
  if (mark.stage == Stage::Synced && !fields.at_end()) {
    mark.restarted = fields.time("restarted");
    if (!mark.restarted || !parse_revisions(fields.field("revisions").value_or(""), mark.revisions)) return std::nullopt;
  }
  // Canonical or nothing: whatever else was in the text makes the two differ.
  if (!fields.at_end() || format_mark(mark) != text) return std::nullopt;
  return mark;
}

}  // namespace keyturn
