#include "base/secret_memory.h"

#include <openssl/crypto.h>

#include <array>
#include <boost/json/parser.hpp>
#include <boost/json/string.hpp>
#include <new>
#include <string_view>

namespace keyturn {
namespace {

namespace json = boost::json;

// The parser unescapes strings through a buffer on the stack. Overwriting more of the stack than it used removes what it left.
__attribute__((noinline)) void wipe_stack_below() {
  std::array<unsigned char, 24 * 1024> below;
  OPENSSL_cleanse(below.data(), below.size());
}

// Not inlined, so that its frame lies in what wipe_stack_below overwrites.
__attribute__((noinline)) bool parse_into(json::value& out, std::string_view text, const json::storage_ptr& storage) {
  json::parser parser(storage, json::parse_options{});
  parser.reset(storage);
  json::error_code ec;
  parser.write(text.data(), text.size(), ec);
  if (ec) return false;
  out = parser.release();
  return true;
}

// A value keeps short strings inside itself, so the root lives in the arena too.
struct ReleaseToArena {
  std::shared_ptr<SecretMemoryResource> memory;  // outlives the value
  void operator()(json::value* value) const noexcept {
    value->~value();
    SecretArena::release(value, sizeof(json::value));
  }
};

std::shared_ptr<json::value> make_root(const std::shared_ptr<SecretMemoryResource>& memory) {
  void* place = SecretArena::allocate(sizeof(json::value));
  return {new (place) json::value(json::storage_ptr(memory.get())), ReleaseToArena{memory}};
}

}  // namespace

void* SecretMemoryResource::do_allocate(std::size_t bytes, std::size_t) { return SecretArena::allocate(bytes); }
void SecretMemoryResource::do_deallocate(void* block, std::size_t bytes, std::size_t) { SecretArena::release(block, bytes); }

Result<SecretJson> SecretJson::parse(const Secret& text) {
  SecretJson document;
  document.memory_ = std::make_shared<SecretMemoryResource>();
  document.root_ = make_root(document.memory_);
  const json::storage_ptr storage(document.memory_.get());
  const bool parsed = text.expose([&](std::string_view bytes) { return parse_into(*document.root_, bytes, storage); });
  wipe_stack_below();
  if (!parsed) return Error{Errc::Invalid, "reply is not valid JSON"};
  return document;
}

Result<Secret> SecretJson::secret_at(std::string_view pointer) const {
  json::error_code ec;
  const json::value* found = root_->find_pointer({pointer.data(), pointer.size()}, ec);
  const json::string* text = found == nullptr ? nullptr : found->if_string();
  if (text == nullptr) return Error{Errc::NotFound, "reply lacks an expected member"};
  return Secret::copy_of({text->data(), text->size()});
}

void append_json_string(SecretBuffer& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7F) {
      out.append("\\u00");
      out.push_back(hex[byte >> 4]);
      out.push_back(hex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace keyturn
