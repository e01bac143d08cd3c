// What is kept of an error reply of an Azure service: its codes. Bodies and messages are dropped, because they may echo what was sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/net/http_message.h"

namespace keyturn {

// Whether a request changes something: decides what a lost or broken answer means.
enum class Effect : std::uint8_t { Read, Write };

struct ServiceError {
  std::string code;                // error.code, empty when the body is not the documented JSON
  std::vector<std::string> inner;  // the codes of error.innererror, outermost first. Key Vault nests objects, Container Apps has a string
  std::string detail;              // the first code in error.details, where ARM puts the real cause
  bool disabled_secret = false;    // the message says "disabled secret": older replies have no inner code
  bool has_code(std::string_view wanted) const;
};

// Never fails: gateways answer with plain text or HTML (AR-A5), which gives an empty ServiceError. Codes that are not short words of
// letters, digits and dots are dropped too.
ServiceError parse_service_error(std::string_view body);

// The error body of a reply, wherever it was read to.
ServiceError service_error_of(const net::HttpReply& reply);

// The reaction to a status that is not a success. For a Write, 408 and 5xx are OutcomeUnknown: the service may have acted. `service` is
// the subject of the message, as in "Key Vault".
Error error_of_status(const net::HttpReply& reply, const ServiceError& error, Effect effect, std::string_view service);

}  // namespace keyturn
