#include "api/schema_builder.h"

#include <limits>

namespace keyturn::api::schema {

Schema text(std::string description, std::int64_t max_length) {
  Schema schema;
  schema.type = Schema::Type::String;
  schema.description = std::move(description);
  schema.max_length = max_length;
  return schema;
}

Schema text(std::string description, std::int64_t max_length, std::string_view pattern) {
  Schema schema = text(std::move(description), max_length);
  schema.pattern = pattern;
  return schema;
}

Schema choice(std::string description, std::vector<std::string> words) {
  Schema schema;
  schema.type = Schema::Type::String;
  schema.description = std::move(description);
  schema.enumeration = std::move(words);
  return schema;
}

Schema flag(std::string description) {
  Schema schema;
  schema.type = Schema::Type::Boolean;
  schema.description = std::move(description);
  return schema;
}

Schema integer(std::string description, std::int64_t minimum, std::int64_t maximum) {
  Schema schema;
  schema.type = Schema::Type::Integer;
  schema.description = std::move(description);
  schema.format = "int32";
  schema.minimum = minimum;
  schema.maximum = maximum;
  return schema;
}

Schema counter(std::string description, std::int64_t minimum) {
  Schema schema;
  schema.type = Schema::Type::Integer;
  schema.description = std::move(description);
  schema.format = "int64";
  schema.minimum = minimum;
  return schema;
}

Schema duration(std::string description) {
  constexpr std::int64_t duration_text_max = 32;
  return text(std::move(description), duration_text_max, pattern::duration);
}

Schema instant(std::string description) {
  Schema schema;
  schema.type = Schema::Type::String;
  schema.description = std::move(description);
  schema.format = "date-time";
  return schema;
}

Schema object(std::string description, Members members, std::vector<std::string> required) {
  Schema schema;
  schema.description = std::move(description);
  schema.properties = std::move(members);
  schema.required = std::move(required);
  return schema;
}

namespace {

Schema list(std::string description, std::string list_type, Items items, Schema item) {
  Schema schema;
  schema.type = Schema::Type::Array;
  schema.description = std::move(description);
  schema.list_type = std::move(list_type);
  if (items.min > 0) {
    schema.min_items = items.min;
  }
  schema.max_items = items.max;
  schema.items = std::make_shared<const Schema>(std::move(item));
  return schema;
}

}  // namespace

Schema list_of_maps(std::string description, std::string key, Items items, Schema item) {
  Schema schema = list(std::move(description), "map", items, std::move(item));
  schema.list_map_keys = {std::move(key)};
  return schema;
}

Schema set_of(std::string description, Items items, Schema item) { return list(std::move(description), "set", items, std::move(item)); }

Schema atomic_list(std::string description, Items items, Schema item) {
  return list(std::move(description), "atomic", items, std::move(item));
}

Schema with_default(Schema schema, boost::json::value value) {
  schema.default_value = std::move(value);
  return schema;
}

Schema without_defaults(Schema schema) {
  schema.default_value = nullptr;
  for (auto& property : schema.properties) {
    property.schema = without_defaults(std::move(property.schema));
  }
  return schema;
}

Schema name(std::string description) { return text(std::move(description), 63, pattern::label); }

Schema version_id(std::string description) { return text(std::move(description), 64); }

Schema observed_generation() {
  return with_default(counter("The metadata.generation that this status was decided from. -1 until the controller has looked once.", -1),
                      -1);
}

Schema conditions(std::string description) {
  Schema reason =
      text("One word of the closed list in docs/runbook, which says what it means and what to do.", 1024, pattern::condition_reason);
  reason.min_length = 1;
  return list_of_maps(
      std::move(description), "type", {0, 16},
      object("One aspect of the object's state, as metav1.Condition.",
             {{"type", text("Which aspect: Ready, Reconciling, Stalled and others.", 316, pattern::condition_type)},
              {"status", word<Tristate>("True, False or Unknown.")},
              {"observedGeneration", counter("The metadata.generation that the condition was decided from.", 0)},
              {"reason", std::move(reason)},
              {"message", text("One sentence for people. Never a value, and stable: no counters that move by themselves.", 32768)},
              {"lastTransitionTime", instant("When the status last changed. Reason and message may change without moving it.")}},
             {"type", "status", "reason", "message", "lastTransitionTime"}));
}

}  // namespace keyturn::api::schema
