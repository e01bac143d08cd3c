// The status page: one static document without data, which asks for a token and shows /v1alpha1/rotations as a table.
#pragma once

#include <string_view>

namespace keyturn {

std::string_view dashboard_html();
// The Content-Security-Policy it is served with: its own script and style by their hashes, requests to its own origin, nothing else.
std::string_view dashboard_security_policy();

}  // namespace keyturn
