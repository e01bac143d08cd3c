// Bodies of requests: JSON, YAML or protobuf, to JSON with the fields that stood twice.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/embedded/status_reply.h"
#include "controller/embedded/write_pipeline.h"

namespace keyturn::embedded {

struct RequestBody {
  boost::json::object object;
  std::vector<std::string> duplicates;
};

// A whole object, as in POST and PUT. `kind` is what it must be, for messages. 400 malformed, 415 a form that is not read.
Answer<RequestBody> read_object_body(std::string_view content_type, std::string_view body, std::string_view kind);

// A patch, by its Content-Type. 415 lists the accepted ones; strategic merge is among them only for built-in kinds.
Answer<ChangeRequest> read_patch_body(std::string_view content_type, std::string_view body, const ResourceType& type);
bool is_apply(std::string_view content_type);

// The optional body of DELETE together with the query.
Answer<DeleteOptions> read_delete_options(const Query& query, std::string_view content_type, std::string_view body);

}  // namespace keyturn::embedded
