#include "reconcilers/postgresql/login_probe.h"

#include <optional>
#include <string_view>
#include <utility>

#include "reconcilers/postgresql/message.h"
#include "reconcilers/postgresql/scram.h"

namespace keyturn::postgresql {
namespace {

constexpr std::string_view mechanism = "SCRAM-SHA-256";
constexpr int messages_max = 200;  // of a whole login: a few dozen parameters, one key, one answer

bool is_authentication_failure(std::string_view sqlstate) { return sqlstate == "28P01" || sqlstate == "28000"; }

// What a refusal means once the password is known to be right.
ProbeResult after_acceptance(std::string_view sqlstate) {
  if (sqlstate == "28000") return ProbeResult::Locked;  // "role is not permitted to log in"
  const bool only_the_database = sqlstate == "3D000" || sqlstate == "42501";
  return only_the_database ? ProbeResult::Accepted : ProbeResult::Unknown;
}

// One login as a conversation: each call sends or reads one message.
class Conversation {
 public:
  Conversation(Context context, std::unique_ptr<wire::Connection> connection)
      : context_(std::move(context)), connection_(std::move(connection)) {}

  Task<> send(std::string bytes) {
    const Secret owned = Secret::copy_of(bytes);
    co_return co_await connection_->send(context_, owned);
  }

  Task<Message> receive() {
    if (++received_ > messages_max) co_return Error{Errc::Invalid, "the server sends too many messages"};
    for (;;) {
      std::size_t taken = 0;
      auto message = parse_message(buffer_, taken);
      if (!message) co_return message.error();
      buffer_.erase(0, taken);
      if (*message) co_return **std::move(message);
      const auto more = co_await connection_->receive(context_, buffer_);
      if (!more) co_return more.error();
    }
  }

 private:
  const Context context_;
  std::unique_ptr<wire::Connection> connection_;
  std::string buffer_;
  int received_ = 0;
};

Task<std::unique_ptr<wire::Connection>> open(Context context, wire::Peer peer) {
  const bool verified = peer.tls == api::TlsMode::Verify;
  auto connection = co_await wire::Connection::open(context, std::move(peer));
  if (!connection || !verified) co_return connection;
  const auto answer = co_await (*connection)->ask_for_tls(context, ssl_request());
  if (!answer) co_return answer.error();
  if (*answer != 'S') co_return Error{Errc::Unavailable, "the server does not offer TLS"};
  const auto secured = co_await (*connection)->start_tls(context, "postgresql");
  if (!secured) co_return secured.error();
  co_return connection;
}

// The exchange of SCRAM up to the server's proof. Nothing = the server took the password.
Awaitable<std::optional<ProbeResult>> authenticate(Conversation& talk, const Secret& password, Random& random) {
  ScramClient scram(random);
  bool proven = false;
  for (;;) {
    const auto message = co_await talk.receive();
    if (!message) co_return ProbeResult::Unknown;
    if (message->type == 'E') co_return is_authentication_failure(sqlstate_of(*message)) ? ProbeResult::Rejected : ProbeResult::Unknown;
    if (message->type == 'N' || message->type == 'v') continue;  // a notice; an older protocol minor version
    const auto asked = parse_authentication(*message);
    if (!asked) co_return ProbeResult::Unknown;
    std::string answer;
    if (asked->is(AuthenticationKind::Sasl) && offers_mechanism(asked->data, mechanism)) {
      answer = sasl_initial_response(mechanism, scram.first());
    } else if (asked->is(AuthenticationKind::SaslContinue)) {
      const auto proof = scram.final(asked->data, password);
      if (!proof) co_return ProbeResult::Unknown;
      answer = sasl_response(*proof);
    } else if (asked->is(AuthenticationKind::SaslFinal) && scram.verify(asked->data)) {
      proven = true;
      continue;
    } else if (asked->is(AuthenticationKind::Ok) && proven) {
      co_return std::nullopt;
    } else {
      co_return ProbeResult::Unknown;
    }
    const auto sent = co_await talk.send(std::move(answer));
    if (!sent) co_return ProbeResult::Unknown;
  }
}

// Whether a role may log in is looked at only after its password.
Awaitable<ProbeResult> await_ready(Conversation& talk) {
  for (;;) {
    const auto message = co_await talk.receive();
    if (!message) co_return ProbeResult::Unknown;
    if (message->type == 'Z') break;
    if (message->type == 'E') co_return after_acceptance(sqlstate_of(*message));
  }
  const auto goodbye = co_await talk.send(terminate());
  static_cast<void>(goodbye);  // a courtesy: the connection is closed either way
  co_return ProbeResult::Accepted;
}

}  // namespace

Awaitable<ProbeResult> probe_login(Context context, wire::Peer peer, std::string database, std::string principal, const Secret& password,
                                   Random& random) {
  const Context whole = context.with_timeout(wire::Connection::call_time_max);
  auto connection = co_await open(whole, std::move(peer));
  if (!connection) co_return ProbeResult::Unknown;
  Conversation talk(whole, *std::move(connection));
  const auto started = co_await talk.send(startup_message(principal, database));
  if (!started) co_return ProbeResult::Unknown;
  const auto refused = co_await authenticate(talk, password, random);
  if (refused) co_return *refused;
  co_return co_await await_ready(talk);
}

}  // namespace keyturn::postgresql
