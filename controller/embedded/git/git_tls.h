// HTTPS for libgit2 by our own means: our trust, and an end. The library's own client waits without a limit.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "base/context.h"

namespace keyturn::git {

// While it lives, connections that libgit2 opens on this thread are verified against `trust` and end with `context`'s deadline; without
// one on the thread, libgit2 cannot open a connection at all. One per thread at a time; git_libgit2_init must have been called.
class GitTlsScope {
 public:
  GitTlsScope(std::shared_ptr<boost::asio::ssl::context> trust, Context context);
  ~GitTlsScope();
  GitTlsScope(const GitTlsScope&) = delete;
  GitTlsScope& operator=(const GitTlsScope&) = delete;

  SSL_CTX* trust() const noexcept { return trust_->native_handle(); }
  const Context& context() const noexcept { return context_; }

 private:
  const std::shared_ptr<boost::asio::ssl::context> trust_;
  const Context context_;
};

}  // namespace keyturn::git
