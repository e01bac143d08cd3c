#include "controller/embedded/git/git_tls.h"

#include <git2.h>
#include <git2/sys/stream.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <new>
#include <string>

namespace keyturn::git {
namespace {

constexpr Duration silence_max = std::chrono::seconds(10);

thread_local const GitTlsScope* current = nullptr;

int fail(int kind, const char* text) {
  ERR_clear_error();  // what stays in OpenSSL's queue would be taken for the error of a later call
  git_error_set_str(kind, text);
  return -1;
}

// One connection, blocking as libgit2 wants it, on a socket that does not block.
class TlsStream : public git_stream {
 public:
  TlsStream(const GitTlsScope& scope, const char* host, const char* port) : git_stream{}, scope_(scope), host_(host), port_(port) {
    version = GIT_STREAM_VERSION;
    encrypted = 1;
    connect = [](git_stream* self) { return static_cast<TlsStream*>(self)->open(); };
    certificate = [](git_cert** out, git_stream*) {
      static git_cert none{GIT_CERT_NONE};  // verified already; there is nothing left to ask anybody
      *out = &none;
      return 0;
    };
    read = [](git_stream* self, void* into, std::size_t size) { return static_cast<TlsStream*>(self)->receive(into, size); };
    write = [](git_stream* self, const char* bytes, std::size_t size, int) { return static_cast<TlsStream*>(self)->send(bytes, size); };
    close = [](git_stream* self) {
      static_cast<TlsStream*>(self)->shut();
      return 0;
    };
    free = [](git_stream* self) { delete static_cast<TlsStream*>(self); };
  }

 private:
  ~TlsStream() { shut(); }

  void shut() noexcept {
    SSL_free(ssl_);
    ssl_ = nullptr;
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  bool wait_for(short events) const {
    const Duration left = std::min(silence_max, scope_.context().remaining().value_or(silence_max));
    pollfd descriptor{socket_, events, 0};
    int ready = 0;
    do {
      ready = ::poll(&descriptor, 1, static_cast<int>(left.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }

  // True: try the operation again. False: it is over.
  bool may_retry(int result) const {
    const int why = SSL_get_error(ssl_, result);
    if (why == SSL_ERROR_WANT_READ) return wait_for(POLLIN);
    if (why == SSL_ERROR_WANT_WRITE) return wait_for(POLLOUT);
    return false;
  }

  bool open_socket(const addrinfo& address) {
    socket_ = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
    if (socket_ < 0) return false;
    if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return true;
    int error = 0;
    socklen_t size = sizeof error;
    const bool done = errno == EINPROGRESS && wait_for(POLLOUT) && ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) == 0;
    if (done && error == 0) return true;
    ::close(socket_);
    socket_ = -1;
    return false;
  }

  bool prepare_tls() {
    ssl_ = SSL_new(scope_.trust());
    if (ssl_ == nullptr || SSL_set_fd(ssl_, socket_) != 1) return false;
    boost::system::error_code not_address;
    boost::asio::ip::make_address(host_, not_address);
    SSL_set_verify(ssl_, SSL_VERIFY_PEER, nullptr);
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (!not_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host_.c_str()) == 1;
    return SSL_set_tlsext_host_name(ssl_, host_.c_str()) == 1 && SSL_set1_host(ssl_, host_.c_str()) == 1;
  }

  int open() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) return fail(GIT_ERROR_NET, "host name not found");
    for (const addrinfo* one = found; one != nullptr && socket_ < 0; one = one->ai_next) open_socket(*one);
    ::freeaddrinfo(found);
    if (socket_ < 0) return fail(GIT_ERROR_NET, "no connection");
    if (!prepare_tls()) return fail(GIT_ERROR_SSL, "TLS cannot be set up");
    int result = 0;
    do {
      result = SSL_connect(ssl_);
    } while (result != 1 && may_retry(result));
    if (result == 1) return 0;
    const bool untrusted = SSL_get_verify_result(ssl_) != X509_V_OK;
    fail(GIT_ERROR_SSL, "TLS failed");
    return untrusted ? GIT_ECERTIFICATE : -1;
  }

  ssize_t receive(void* into, std::size_t size) {
    for (;;) {
      std::size_t bytes = 0;
      const int result = SSL_read_ex(ssl_, into, size, &bytes);
      if (result == 1) return static_cast<ssize_t>(bytes);
      if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return 0;
      if (!may_retry(result)) return fail(GIT_ERROR_NET, "the connection broke or fell silent");
    }
  }

  ssize_t send(const char* bytes, std::size_t size) {
    for (;;) {
      std::size_t sent = 0;
      const int result = SSL_write_ex(ssl_, bytes, size, &sent);
      if (result == 1) return static_cast<ssize_t>(sent);
      if (!may_retry(result)) return fail(GIT_ERROR_NET, "the connection broke or fell silent");
    }
  }

  const GitTlsScope& scope_;
  const std::string host_;
  const std::string port_;
  int socket_ = -1;
  SSL* ssl_ = nullptr;
};

int make_stream(git_stream** out, const char* host, const char* port) {
  if (current == nullptr) return fail(GIT_ERROR_NET, "no connection is allowed here");
  *out = new (std::nothrow) TlsStream(*current, host, port);
  return *out == nullptr ? fail(GIT_ERROR_NOMEMORY, "out of memory") : 0;
}

int refuse_plain(git_stream**, const char*, const char*) { return fail(GIT_ERROR_NET, "a connection without TLS is refused"); }

}  // namespace

GitTlsScope::GitTlsScope(std::shared_ptr<boost::asio::ssl::context> trust, Context context)
    : trust_(std::move(trust)), context_(std::move(context)) {
  git_stream_registration tls{GIT_STREAM_VERSION, make_stream, nullptr};
  git_stream_register(GIT_STREAM_TLS, &tls);
  git_stream_registration plain{GIT_STREAM_VERSION, refuse_plain, nullptr};
  git_stream_register(GIT_STREAM_STANDARD, &plain);
  current = this;
}

GitTlsScope::~GitTlsScope() { current = nullptr; }

}  // namespace keyturn::git
