#include "controller/server/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "api/patterns.h"
#include "base/log.h"
#include "base/task_group.h"
#include "controller/server/canonical.h"
#include "controller/server/messages.h"
#include "keyturn/v1alpha1/rotation.grpc.pb.h"

namespace keyturn {
namespace {

namespace asio = boost::asio;

grpc::Status status_of(const Error& error) { return {static_cast<grpc::StatusCode>(canonical_of(error.code).code), error.message}; }
grpc::Status unauthenticated_status() { return {grpc::StatusCode::UNAUTHENTICATED, "a valid bearer token is needed"}; }
Error stopping() { return {Errc::Unavailable, "the server is stopping"}; }

std::optional<std::string> user_of(const grpc::CallbackServerContext& context, const TokenCheck& tokens) {
  const auto& metadata = context.client_metadata();
  const auto entry = metadata.find("authorization");
  if (entry == metadata.end()) return std::nullopt;
  const std::string_view token = bearer_of({entry->second.data(), entry->second.size()});
  if (token.empty()) return std::nullopt;
  return tokens.user_of(token);
}

// One unary call: finished exactly once, however its coroutine ends. Request, response and context live until then.
class UnaryCall {
 public:
  UnaryCall(grpc::CallbackServerContext& context, grpc::ServerUnaryReactor& reactor, std::atomic<int>& in_flight)
      : context_(context), reactor_(&reactor), in_flight_(in_flight) {}
  ~UnaryCall() { finish(status_of(stopping())); }
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  const grpc::CallbackServerContext& context() const noexcept { return context_; }
  void finish(const grpc::Status& status) {
    if (!reactor_) return;
    std::exchange(reactor_, nullptr)->Finish(status);
    in_flight_.fetch_sub(1);
  }

 private:
  grpc::CallbackServerContext& context_;
  grpc::ServerUnaryReactor* reactor_;
  std::atomic<int>& in_flight_;
};

// gRPC has no log of its own worth a second format: its complaints (mostly failed handshakes) become lines of ours.
void forward_log(gpr_log_func_args* args) { log::debug("message of the gRPC library", {{"message", args->message}}); }

}  // namespace

class WatchCall;

class RotationGrpcService final : public v1alpha1::RotationService::CallbackService {
 public:
  RotationGrpcService(asio::any_io_executor executor, Clock& clock, BlockingPool& pool, RotationQueries& queries, const TokenCheck& tokens,
                      net::TlsIdentity identity, GrpcServerOptions options)
      : executor_(std::move(executor)),
        clock_(clock),
        pool_(pool),
        queries_(queries),
        tokens_(tokens),
        identity_(std::move(identity)),
        options_(std::move(options)),
        tasks_(executor_) {}

  Result<> start();
  int port() const noexcept { return port_; }
  Awaitable<> stop(Duration grace);

  // gRPC's threads call these; they only post.
  grpc::ServerUnaryReactor* ListRotations(grpc::CallbackServerContext* context, const v1alpha1::ListRotationsRequest* request,
                                          v1alpha1::ListRotationsResponse* response) override {
    return unary(context, request, response, &RotationGrpcService::list);
  }
  grpc::ServerUnaryReactor* GetRotation(grpc::CallbackServerContext* context, const v1alpha1::GetRotationRequest* request,
                                        v1alpha1::Rotation* response) override {
    return unary(context, request, response, &RotationGrpcService::get);
  }
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context, const v1alpha1::GetHistoryRequest* request,
                                       v1alpha1::GetHistoryResponse* response) override {
    return unary(context, request, response, &RotationGrpcService::history);
  }
  grpc::ServerUnaryReactor* PlanRotation(grpc::CallbackServerContext* context, const v1alpha1::PlanRotationRequest* request,
                                         v1alpha1::RotationPlan* response) override {
    return unary(context, request, response, &RotationGrpcService::plan);
  }
  grpc::ServerUnaryReactor* Verify(grpc::CallbackServerContext* context, const v1alpha1::VerifyRequest* request,
                                   v1alpha1::Verification* response) override {
    return unary(context, request, response, &RotationGrpcService::verify);
  }
  grpc::ServerWriteReactor<v1alpha1::RotationEvent>* WatchRotations(grpc::CallbackServerContext* context,
                                                                    const v1alpha1::WatchRotationsRequest* request) override;

 private:
  friend class WatchCall;

  template <class Request, class Response>
  using Body = Task<> (RotationGrpcService::*)(Context, std::string user, const Request*, Response*);
  template <class Request, class Response>
  grpc::ServerUnaryReactor* unary(grpc::CallbackServerContext* context, const Request* request, Response* response,
                                  Body<Request, Response> body);
  template <class Request, class Response>
  Awaitable<> run(std::shared_ptr<UnaryCall> call, const Request* request, Response* response, Body<Request, Response> body);

  Task<> list(Context context, std::string user, const v1alpha1::ListRotationsRequest* request, v1alpha1::ListRotationsResponse* response);
  Task<> get(Context context, std::string user, const v1alpha1::GetRotationRequest* request, v1alpha1::Rotation* response);
  Task<> history(Context context, std::string user, const v1alpha1::GetHistoryRequest* request, v1alpha1::GetHistoryResponse* response);
  Task<> plan(Context context, std::string user, const v1alpha1::PlanRotationRequest* request, v1alpha1::RotationPlan* response);
  Task<> verify(Context context, std::string user, const v1alpha1::VerifyRequest* request, v1alpha1::Verification* response);

  asio::any_io_executor executor_;
  Clock& clock_;
  BlockingPool& pool_;
  RotationQueries& queries_;
  const TokenCheck& tokens_;
  net::TlsIdentity identity_;
  GrpcServerOptions options_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool stopping_ = false;
  std::atomic<int> calls_ = 0;  // counted by gRPC's threads before they post, so that posts are bounded
  std::atomic<int> watch_calls_ = 0;
  std::set<std::shared_ptr<WatchCall>> watches_;
  TaskGroup tasks_;
};

// One streaming call. Everything but the callbacks of gRPC happens on the control thread, and those only post; so there is no lock.
// It owns itself until OnDone.
class WatchCall final : public grpc::ServerWriteReactor<v1alpha1::RotationEvent>, public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(RotationGrpcService& service, grpc::CallbackServerContext& context, std::string ns)
      : service_(service), executor_(service.executor_), context_(context), ns_(std::move(ns)) {}

  // Once, on gRPC's thread.
  void launch() {
    self_ = shared_from_this();
    asio::post(executor_, [call = self_] { call->begin(); });
  }
  // Ends the stream as soon as the write in flight allows.
  void end(grpc::Status status);

 private:
  void OnWriteDone(bool written) override {
    asio::post(executor_, [call = shared_from_this(), written] { call->on_written(written); });
  }
  void OnCancel() override {
    asio::post(executor_, [call = shared_from_this()] { call->end(grpc::Status::CANCELLED); });
  }
  // The last call: the object goes on the control thread, where all it holds belongs.
  void OnDone() override {
    asio::post(executor_, [call = std::move(self_)] {});
  }

  void begin();
  static Awaitable<> subscribe(std::shared_ptr<WatchCall> call);
  // Ends a call whose subscription did not come about, however its coroutine ended.
  struct EndsUnlessFed {
    WatchCall& call;
    ~EndsUnlessFed() {
      if (!call.feed_) call.end(status_of({Errc::Internal, "the watch could not start"}));
    }
  };
  void on_ready();
  void on_written(bool written);
  void pump();
  void finish();

  RotationGrpcService& service_;  // not to be touched once finished
  asio::any_io_executor executor_;
  grpc::CallbackServerContext& context_;
  std::string ns_;
  std::string user_;
  std::unique_ptr<RotationFeed> feed_;
  v1alpha1::RotationEvent message_;  // the one being written
  bool writing_ = false;
  bool pump_posted_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> end_;
  std::shared_ptr<WatchCall> self_;
};

void WatchCall::begin() {
  service_.watches_.insert(shared_from_this());
  if (service_.stopping_) return end(status_of(stopping()));
  const std::optional<std::string> user = user_of(context_, service_.tokens_);
  if (!user) return end(unauthenticated_status());
  if (!ns_.empty() && !service_.tokens_.may_read(*user, ns_)) return end(status_of({Errc::Denied, "not allowed to read this"}));
  user_ = *user;
  service_.tasks_.spawn("grpc watch", [call = shared_from_this()] { return subscribe(call); });
}

Awaitable<> WatchCall::subscribe(std::shared_ptr<WatchCall> call) {
  const EndsUnlessFed guard{*call};
  const Context context = Context(call->service_.clock_, "grpc-api watch").with_timeout(call->service_.options_.request_timeout);
  Result<std::unique_ptr<RotationFeed>> feed = co_await call->service_.queries_.subscribe(context, call->ns_);
  if (call->finished_) co_return;
  if (!feed) {
    call->end(status_of(feed.error()));
    co_return;
  }
  call->feed_ = std::move(*feed);
  call->feed_->on_ready([watch = call.get()] { watch->on_ready(); });
  call->pump();
}

// Posted rather than done at once: the feed that calls may be the one that pumping lets go of.
void WatchCall::on_ready() {
  if (std::exchange(pump_posted_, true)) return;
  asio::post(executor_, [call = shared_from_this()] {
    call->pump_posted_ = false;
    call->pump();
  });
}

void WatchCall::on_written(bool written) {
  writing_ = false;
  if (!written) return end(grpc::Status::CANCELLED);
  pump();
}

// Writes the next event unless one is being written; its OnWriteDone comes back here. So one message is in flight per stream, and what
// waits is bounded by the feed.
void WatchCall::pump() {
  if (finished_ || writing_) return;
  if (end_) return finish();
  if (!feed_) return;
  while (const std::optional<RotationEventView> event = feed_->next()) {
    if (!service_.tokens_.may_read(user_, event->rotation.key.ns)) continue;
    message_ = message_of(*event);
    writing_ = true;
    StartWrite(&message_);
    return;
  }
  if (const std::optional<Error> why = feed_->ended()) end(status_of(*why));
}

void WatchCall::end(grpc::Status status) {
  if (finished_) return;
  if (!end_) end_ = std::move(status);
  if (!writing_) finish();
}

void WatchCall::finish() {
  finished_ = true;
  feed_.reset();
  const std::shared_ptr<WatchCall> self = shared_from_this();
  service_.watches_.erase(self);
  service_.watch_calls_.fetch_sub(1);
  Finish(*end_);
}

grpc::ServerWriteReactor<v1alpha1::RotationEvent>* RotationGrpcService::WatchRotations(grpc::CallbackServerContext* context,
                                                                                       const v1alpha1::WatchRotationsRequest* request) {
  // A refused stream needs no state: it ends itself.
  class Refused final : public grpc::ServerWriteReactor<v1alpha1::RotationEvent> {
   public:
    Refused() { Finish(status_of({Errc::Throttled, "too many watches"})); }
    void OnDone() override { delete this; }
  };
  if (watch_calls_.fetch_add(1) >= options_.watches_max) {
    watch_calls_.fetch_sub(1);
    return new Refused;
  }
  const auto call = std::make_shared<WatchCall>(*this, *context, request->namespace_());
  call->launch();
  return call.get();
}

template <class Request, class Response>
grpc::ServerUnaryReactor* RotationGrpcService::unary(grpc::CallbackServerContext* context, const Request* request, Response* response,
                                                     Body<Request, Response> body) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (calls_.fetch_add(1) >= options_.calls_max) {
    calls_.fetch_sub(1);
    reactor->Finish(status_of({Errc::Throttled, "too many calls in flight"}));
    return reactor;
  }
  auto call = std::make_shared<UnaryCall>(*context, *reactor, calls_);
  asio::post(executor_, [this, call = std::move(call), request, response, body] {
    tasks_.spawn("grpc call", [this, call, request, response, body] { return run(call, request, response, body); });
  });
  return reactor;
}

template <class Request, class Response>
Awaitable<> RotationGrpcService::run(std::shared_ptr<UnaryCall> call, const Request* request, Response* response,
                                     Body<Request, Response> body) {
  const std::optional<std::string> user = user_of(call->context(), tokens_);
  if (!user) {
    call->finish(unauthenticated_status());
    co_return;
  }
  if (!request->namespace_().empty() && !tokens_.may_read(*user, request->namespace_())) {
    call->finish(status_of({Errc::Denied, "not allowed to read this"}));
    co_return;
  }
  const Context context = Context(clock_, "grpc-api").with_timeout(options_.request_timeout);
  const Result<> done = co_await (this->*body)(context, *user, request, response);
  call->finish(done ? grpc::Status::OK : status_of(done.error()));
}

Task<> RotationGrpcService::list(Context context, std::string user, const v1alpha1::ListRotationsRequest* request,
                                 v1alpha1::ListRotationsResponse* response) {
  const Result<RotationList> list = co_await queries_.list(context, request->namespace_());
  if (!list) co_return list.error();
  *response = message_of(*list, readable_by(tokens_, user));
  co_return ok();
}

namespace {

// A query for one rotation names both parts. Without this, an empty namespace would pass the check of access as "all".
template <class Request>
Result<ObjectKey> key_of(const Request& request) {
  if (request.namespace_().empty() || request.name().empty()) return Error{Errc::Invalid, "namespace and name are needed"};
  return ObjectKey{request.namespace_(), request.name()};
}

}  // namespace

Task<> RotationGrpcService::get(Context context, std::string, const v1alpha1::GetRotationRequest* request, v1alpha1::Rotation* response) {
  const Result<ObjectKey> key = key_of(*request);
  if (!key) co_return key.error();
  const Result<RotationView> rotation = co_await queries_.get(context, *key);
  if (!rotation) co_return rotation.error();
  *response = message_of(*rotation);
  co_return ok();
}

Task<> RotationGrpcService::history(Context context, std::string, const v1alpha1::GetHistoryRequest* request,
                                    v1alpha1::GetHistoryResponse* response) {
  const Result<ObjectKey> key = key_of(*request);
  if (!key) co_return key.error();
  if (request->limit() < 0) co_return Error{Errc::Invalid, "limit must not be negative"};
  const Result<std::vector<RunView>> runs = co_await queries_.history(context, *key, request->limit());
  if (!runs) co_return runs.error();
  *response = message_of(*runs);
  co_return ok();
}

Task<> RotationGrpcService::plan(Context context, std::string, const v1alpha1::PlanRotationRequest* request,
                                 v1alpha1::RotationPlan* response) {
  const Result<ObjectKey> key = key_of(*request);
  if (!key) co_return key.error();
  const Result<PlanView> plan = co_await queries_.plan(context, *key, request->revision());
  if (!plan) co_return plan.error();
  *response = message_of(*plan);
  co_return ok();
}

Task<> RotationGrpcService::verify(Context context, std::string, const v1alpha1::VerifyRequest* request, v1alpha1::Verification* response) {
  const Result<ObjectKey> key = key_of(*request);
  if (!key) co_return key.error();
  const bool usable = request->anchor().empty() || api::pattern::matches(api::pattern::sha256, request->anchor());
  if (!usable) co_return Error{Errc::Invalid, "anchor must be sha256: and 64 hexadecimal digits"};
  const Result<VerificationView> verification = co_await queries_.verify(context, *key, request->anchor());
  if (!verification) co_return verification.error();
  *response = message_of(*verification);
  co_return ok();
}

Result<> RotationGrpcService::start() {
  gpr_set_log_function(forward_log);
  // gRPC says nothing but "no" to a bad certificate and to a port that is taken alike. So the certificate is looked at first.
  if (const auto usable = net::server_context(identity_); !usable) return usable.error();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({identity_.key_pem, identity_.certificate_pem});
  grpc::ServerBuilder builder;
  const std::string address = options_.address.find(':') == std::string::npos ? options_.address : "[" + options_.address + "]";
  const std::string target = address + ":" + std::to_string(options_.port);
  builder.AddListeningPort(target, grpc::SslServerCredentials(tls), &port_);
  // By default gRPC shares a port with whoever else does: two controllers on one port would answer in turns.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(options_.request_bytes_max);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (!server_ || port_ == 0) {
    server_.reset();
    return Error{Errc::Conflict, "the address " + target + " cannot be bound; is the port in use?"};
  }
  server_->GetHealthCheckService()->SetServingStatus(v1alpha1::RotationService::service_full_name(), true);
  return ok();
}

Awaitable<> RotationGrpcService::stop(Duration grace) {
  constexpr Duration poll{5};
  if (!server_ || std::exchange(stopping_, true)) co_return;
  server_->GetHealthCheckService()->SetServingStatus(false);
  const std::set<std::shared_ptr<WatchCall>> watches = watches_;
  for (const std::shared_ptr<WatchCall>& watch : watches) watch->end(status_of(stopping()));
  for (Duration waited{0}; calls_.load() > 0 && waited < grace; waited += poll) co_await clock_.sleep_for(poll);
  co_await tasks_.stop(clock_, grace);
  // gRPC waits here until every call has said its last word, which needs this thread: hence the pool. What is unsaid after the grace,
  // because its peer does not read, is cut off.
  grpc::Server* const server = server_.get();
  const gpr_timespec deadline = gpr_time_from_millis(grace.count(), GPR_TIMESPAN);
  const auto shut_down = [server, deadline]() -> Result<> {
    server->Shutdown(deadline);
    server->Wait();
    return ok();
  };
  const Result<> closed = co_await pool_.run(shut_down);
  if (!closed) log::error("the gRPC server did not close", {{"error", closed.error()}});
}

GrpcServer::GrpcServer(asio::any_io_executor executor, Clock& clock, BlockingPool& pool, RotationQueries& queries, const TokenCheck& tokens,
                       net::TlsIdentity identity, GrpcServerOptions options)
    : service_(std::make_unique<RotationGrpcService>(std::move(executor), clock, pool, queries, tokens, std::move(identity),
                                                     std::move(options))) {}
GrpcServer::~GrpcServer() = default;
Result<> GrpcServer::start() { return service_->start(); }
std::uint16_t GrpcServer::port() const noexcept { return static_cast<std::uint16_t>(service_->port()); }
Awaitable<> GrpcServer::stop(Duration grace) { co_await service_->stop(grace); }

}  // namespace keyturn
