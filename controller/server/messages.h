// From the views to the messages of rotation.proto: the one place where both APIs get their fields, so that they cannot drift apart.
#pragma once

#include <functional>
#include <string>

#include "controller/server/rotation_queries.h"
#include "controller/server/token_check.h"
#include "keyturn/v1alpha1/rotation.pb.h"

namespace keyturn {

// Which namespaces' rotations a list may show.
using NamespaceFilter = std::function<bool(const std::string& ns)>;
NamespaceFilter readable_by(const TokenCheck& tokens, const std::string& user);  // both must outlive the filter

v1alpha1::Rotation message_of(const RotationView& view);
v1alpha1::ListRotationsResponse message_of(const RotationList& list, const NamespaceFilter& shown);
v1alpha1::GetHistoryResponse message_of(const std::vector<RunView>& runs);
v1alpha1::RotationEvent message_of(const RotationEventView& event);
v1alpha1::Run message_of(const RunView& view);
v1alpha1::RotationPlan message_of(const PlanView& view);
v1alpha1::Verification message_of(const VerificationView& view);

// Protobuf's JSON mapping on one line: camelCase names, RFC 3339 times, fields without a value written as their default.
std::string to_json(const google::protobuf::Message& message);

}  // namespace keyturn
