// The parameters of reads and writes, read from the query and checked against each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "controller/embedded/routing.h"
#include "controller/embedded/selectors.h"
#include "controller/embedded/status_reply.h"

namespace keyturn::embedded {

struct ListRequest {
  LabelSelector labels;
  FieldSelector fields;
  std::size_t limit = 0;              // 0 = all
  std::string continue_key;           // from the continue token: the last key of the page before
  std::int64_t continue_version = 0;  // -1 = an inconsistent remainder; 0 = no token
  bool version_given = false;         // resourceVersion was sent and is not empty
  ResourceVersion version = 0;
  bool exact = false;  // resourceVersionMatch=Exact
  bool watch = false;
  bool bookmarks = false;
  bool initial_events = false;            // sendInitialEvents=true
  std::optional<std::int64_t> timeout_s;  // of a watch

  bool matches(const boost::json::object& object) const { return labels.matches(object) && fields.matches(object); }
};
Answer<ListRequest> parse_list_request(const Query& query, const ResourceType& type);

// The opaque token of the next page: base64url of {"v":"meta.k8s.io/v1","rv":N,"start":"KEY\u0000"}.
std::string continue_token(std::int64_t version, std::string_view key);

enum class FieldValidation : std::uint8_t { Ignore, Warn, Strict };
struct WriteOptions {
  bool dry_run = false;
  bool force = false;
  std::string field_manager;
  FieldValidation validation = FieldValidation::Warn;
};
// `kind` names the options in messages: CreateOptions, UpdateOptions, PatchOptions. `apply` = a server-side apply patch.
// Without fieldManager the first word of the User-Agent is taken, except for apply, which must name one.
Answer<WriteOptions> parse_write_options(const Query& query, std::string_view kind, bool apply, std::string_view user_agent);

// A resourceVersion as clients send it. Empty text = 0.
std::optional<ResourceVersion> parse_version(std::string_view text);

}  // namespace keyturn::embedded
