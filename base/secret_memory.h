// Lets Boost.JSON hold what it parses inside the secret arena, so that a parsed reply leaves nothing behind.
#pragma once

#include <boost/json/memory_resource.hpp>
#include <boost/json/value.hpp>
#include <memory>

#include "base/secret.h"

namespace keyturn {

class SecretMemoryResource final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }
};

// A JSON document that holds secrets. `parse` also keeps the parser's own buffers in the arena.
class SecretJson {
 public:
  static Result<SecretJson> parse(const Secret& text);
  // The string at a JSON pointer ("/value"), copied into a Secret; NotFound when absent or not a string.
  Result<Secret> secret_at(std::string_view pointer) const;
  // For the members that are not secret: ids, flags, tags. The reference lives as long as this object.
  const boost::json::value& root() const noexcept { return *root_; }

 private:
  std::shared_ptr<SecretMemoryResource> memory_;
  std::shared_ptr<boost::json::value> root_;
};

// {"key": <secret>} and the like without a DOM: appends `text` as a JSON string with its quotes, escaped.
void append_json_string(SecretBuffer& out, std::string_view text);

}  // namespace keyturn
