// Bodies of type application/vnd.kubernetes.protobuf: the reviews behind `kubectl auth`, and namespaces. They become the JSON objects
// that a JSON client would have sent.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

namespace keyturn::embedded {

// Nothing when the envelope or the message is malformed, or of a kind that is not served in this form.
std::optional<boost::json::object> read_protobuf_body(std::string_view body);

}  // namespace keyturn::embedded
