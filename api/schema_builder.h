// Inside of the schemas: one function per shape a field can have. Every one takes the description first, because every field has one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/patterns.h"
#include "api/schema.h"
#include "api/words.h"

namespace keyturn::api::schema {

using Members = std::vector<Schema::Property>;

Schema text(std::string description, std::int64_t max_length);
// Text of a pattern of api/patterns.h.
Schema text(std::string description, std::int64_t max_length, std::string_view pattern);
Schema choice(std::string description, std::vector<std::string> words);
Schema flag(std::string description);
Schema integer(std::string description, std::int64_t minimum, std::int64_t maximum);  // 32 bits
Schema counter(std::string description, std::int64_t minimum);                        // 64 bits
Schema duration(std::string description);
Schema instant(std::string description);
Schema object(std::string description, Members members, std::vector<std::string> required = {});

// Bounds of a list: from, to.
struct Items {
  std::int64_t min = 0;
  std::int64_t max = 0;
};
Schema list_of_maps(std::string description, std::string key, Items items, Schema item);
Schema set_of(std::string description, Items items, Schema item);
Schema atomic_list(std::string description, Items items, Schema item);

// A constant that the API server fills in where the field is absent. Never inside of list items: client-side apply would report a
// change for ever.
Schema with_default(Schema schema, boost::json::value value);
// The same structure, filling in nothing.
Schema without_defaults(Schema schema);

template <Worded E>
Schema word(std::string description) {
  return choice(std::move(description), words<E>());
}
template <Worded E>
Schema word(std::string description, E default_value) {
  return with_default(word<E>(std::move(description)), boost::json::value(word_of(default_value)));
}

// Parts that several kinds share.
Schema conditions(std::string description);
Schema observed_generation();
Schema name(std::string description);  // of an entry: a DNS label
Schema version_id(std::string description);

}  // namespace keyturn::api::schema
