// compiles
// What the other files do in a forbidden way, done in the allowed one: shows that they fail for the reason they name and no other.
#include <fmt/format.h>
#include <boost/json/value.hpp>
#include <iostream>

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/net/http_message.h"
#include "base/secret.h"

keyturn::Result<int> g();
void h(keyturn::VersionId version);

void f(const keyturn::Secret& secret, keyturn::VersionId version) {
  keyturn::Secret copy = secret.clone();
  keyturn::Secret moved = std::move(copy);
  const keyturn::Result<int> result = g();
  keyturn::net::Headers headers;
  headers.add("Accept", fmt::format("{}", result ? *result : 0));
  keyturn::log::info("rotated", {{"size", secret.size()}, {"same", secret.equals(moved)}});
  std::cout << secret.expose([](std::string_view bytes) { return keyturn::to_hex(keyturn::sha256(bytes)); });
  h(version);
}
