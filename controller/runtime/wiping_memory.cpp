#include "controller/runtime/wiping_memory.h"

#include <openssl/crypto.h>

#include <boost/json/memory_resource.hpp>
#include <new>

namespace keyturn {

namespace {

class WipingMemoryResource final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return ::operator new(bytes, std::align_val_t(alignment)); }
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    OPENSSL_cleanse(block, bytes);
    ::operator delete(block, bytes, std::align_val_t(alignment));
  }
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

boost::json::storage_ptr wiping_storage() noexcept {
  // Never destroyed: objects may outlive every other static.
  static auto* const resource = new WipingMemoryResource;
  return boost::json::storage_ptr(resource);
}

}  // namespace keyturn
