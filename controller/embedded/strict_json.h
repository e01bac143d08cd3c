// A JSON reader that keeps what an ordinary one drops: fields that stand twice in an object. Its errors are worded like those of Go's
// encoding/json, because kubectl users know them.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn::embedded {

struct StrictJson {
  static constexpr int depth_max = 128;

  boost::json::value value;
  std::vector<std::string> duplicates;  // paths: "spec.revision", "metadata.labels.a"; the last value counts
  std::string error;                    // empty = well formed
};

// Never throws; memory is bounded by the text's length.
StrictJson read_strict_json(std::string_view text);

// "spec.revision", "spec.consumers[1].name": how a field is named in messages.
std::string join_path(std::string_view parent, std::string_view name);

}  // namespace keyturn::embedded
