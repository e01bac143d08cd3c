// Inside of the schemas: one file per kind.
#pragma once

#include "api/schema.h"

namespace keyturn::api::schema {

Schema secret_rotation_spec();
KindSchema secret_rotation();
KindSchema rotation_environment();
KindSchema rotation_run();

// What no single field can say (rules_secret_rotation.cpp, rules_rotation_environment.cpp).
std::vector<Rule> secret_rotation_rules();
std::vector<Rule> rotation_environment_rules();

}  // namespace keyturn::api::schema
