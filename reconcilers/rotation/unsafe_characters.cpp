#include "reconcilers/rotation/unsafe_characters.h"

namespace keyturn {

std::string_view syntax_of(api::FormatType format) noexcept {
  switch (format) {
    case api::FormatType::AdoNetConnectionString:
      return ";='\"{} ,";
    case api::FormatType::Url:
      return "!\"#$%&'()*+,/:;<=>?@[\\]^`{|} ";
    case api::FormatType::Json:
      return "\"\\";
    default:
      // An opaque value is the whole value: nothing is around it.
      return "";
  }
}

std::string_view syntax_of_consumer(std::string_view type) noexcept {
  // Container Apps turn "$$" into "$" in environment variables (azure.md R13).
  if (type == "ContainerApp" || type == "ContainerAppJob") return "$";
  // A line of an .env file is read by shells and by compose, which expand, quote and cut at "#".
  if (type == "EnvFile") return "$'\"`\\# ";
  return "";
}

std::string unsafe_in(std::string_view alphabet, std::string_view syntax) {
  std::string found;
  for (const char c : alphabet) {
    if (syntax.find(c) != std::string_view::npos) found.push_back(c);
  }
  return found;
}

}  // namespace keyturn
