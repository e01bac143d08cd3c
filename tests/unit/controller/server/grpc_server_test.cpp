#include "controller/server/grpc_server.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "controller/server/canonical.h"
#include "keyturn/v1alpha1/rotation.grpc.pb.h"
#include "tests/unit/controller/server/grpc_standard_services.h"
#include "tests/unit/controller/server/live_api.h"

namespace keyturn {
namespace {

const ObjectKey redis{"erp-dev", "erp-redis"};

struct GrpcServerTest : testing::Test, LiveApi {
  std::shared_ptr<grpc::Channel> channel(const std::string& ca_pem) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca_pem;
    return grpc::CreateChannel(grpc_address(), grpc::SslCredentials(options));
  }
  std::unique_ptr<v1alpha1::RotationService::Stub> stub() { return v1alpha1::RotationService::NewStub(channel(tls.ca_pem)); }

  // A client's side of one call. Nothing here should ever need the deadline; it makes a hang a failure.
  std::unique_ptr<grpc::ClientContext> call(const std::string& token = "token-of-ann") {
    auto context = std::make_unique<grpc::ClientContext>();
    if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
    context->set_deadline(std::chrono::system_clock::now() + stuck_after);
    return context;
  }
  grpc::StatusCode list_code(const std::string& token, const std::string& ns = "") {
    v1alpha1::ListRotationsRequest request;
    request.set_namespace_(ns);
    v1alpha1::ListRotationsResponse response;
    return stub()->ListRotations(call(token).get(), request, &response).error_code();
  }
  template <class Request>
  Request about(const ObjectKey& key) {
    Request request;
    request.set_namespace_(key.ns);
    request.set_name(key.name);
    return request;
  }
};

TEST_F(GrpcServerTest, AnswersEveryQuestion) {
  add(a_rotation(redis));
  add(a_run(redis, 1, noon));
  ASSERT_TRUE(start_grpc());
  const auto client = stub();

  v1alpha1::ListRotationsResponse list;
  ASSERT_TRUE(client->ListRotations(call().get(), {}, &list).ok());
  ASSERT_EQ(list.rotations_size(), 1);
  EXPECT_EQ(list.rotations(0).current().name(), "2026-q4.1");

  v1alpha1::Rotation rotation;
  ASSERT_TRUE(client->GetRotation(call().get(), about<v1alpha1::GetRotationRequest>(redis), &rotation).ok());
  EXPECT_EQ(rotation.secret(), "RedisConfiguration--Password");

  v1alpha1::GetHistoryResponse history;
  ASSERT_TRUE(client->GetHistory(call().get(), about<v1alpha1::GetHistoryRequest>(redis), &history).ok());
  ASSERT_EQ(history.runs_size(), 1);
  EXPECT_EQ(history.runs(0).evidence(0).what(), "fresh login accepted");

  v1alpha1::RotationPlan plan;
  ASSERT_TRUE(client->PlanRotation(call().get(), about<v1alpha1::PlanRotationRequest>(redis), &plan).ok());
  EXPECT_EQ(plan.steps_size(), 2);
  EXPECT_EQ(plan.unsafe_window().nanos(), 250'000'000);
}

TEST_F(GrpcServerTest, VerifiesTheRecordsOfOneRotation) {
  const std::vector<api::RotationRun> runs = a_chain(redis, 3);
  add(a_rotation_that_notes(runs));
  add(runs[0]);
  add(runs[2]);
  ASSERT_TRUE(start_grpc());
  const auto client = stub();
  v1alpha1::Verification verification;
  auto request = about<v1alpha1::VerifyRequest>(redis);
  ASSERT_TRUE(client->Verify(call().get(), request, &verification).ok());
  EXPECT_FALSE(verification.intact());
  EXPECT_EQ(verification.records(), 2);
  EXPECT_EQ(verification.noted().sealed(), 3);
  ASSERT_EQ(verification.findings_size(), 1);
  EXPECT_EQ(verification.findings(0).kind(), "Removed");
  EXPECT_EQ(verification.findings(0).run(), runs[2].meta.name);
  request.set_anchor("nonsense");
  EXPECT_EQ(client->Verify(call().get(), request, &verification).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client->Verify(call().get(), {}, &verification).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, NeedsATokenThatItKnows) {
  ASSERT_TRUE(start_grpc());
  EXPECT_EQ(list_code(""), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(list_code("stolen"), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(list_code("token-of-ann"), grpc::StatusCode::OK);
  v1alpha1::RotationEvent event;
  const auto context = call("stolen");
  const auto stream = stub()->WatchRotations(context.get(), {});
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GrpcServerTest, ShowsACallerHisNamespacesOnly) {
  add(a_rotation(redis));
  add(a_rotation({"erp-stage", "erp-redis"}));
  ASSERT_TRUE(start_grpc());
  const auto client = stub();
  v1alpha1::ListRotationsResponse list;
  ASSERT_TRUE(client->ListRotations(call("token-of-bob").get(), {}, &list).ok());
  ASSERT_EQ(list.rotations_size(), 1);
  EXPECT_EQ(list.rotations(0).namespace_(), "erp-dev");
  EXPECT_EQ(list_code("token-of-bob", "erp-stage"), grpc::StatusCode::PERMISSION_DENIED);

  v1alpha1::WatchRotationsRequest request;
  request.set_namespace_("erp-stage");
  const auto context = call("token-of-bob");
  const auto stream = client->WatchRotations(context.get(), request);
  v1alpha1::RotationEvent event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(GrpcServerTest, SaysWhatIsWrongInCanonicalCodes) {
  ASSERT_TRUE(start_grpc());
  const auto client = stub();
  v1alpha1::Rotation rotation;
  EXPECT_EQ(client->GetRotation(call().get(), about<v1alpha1::GetRotationRequest>(redis), &rotation).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1alpha1::RotationPlan plan;
  EXPECT_EQ(client->PlanRotation(call().get(), about<v1alpha1::PlanRotationRequest>(redis), &plan).error_code(),
            grpc::StatusCode::NOT_FOUND);
  // Without a namespace the caller would be asking for all of them.
  EXPECT_EQ(client->GetRotation(call("token-of-bob").get(), about<v1alpha1::GetRotationRequest>({"", "x"}), &rotation).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  v1alpha1::GetHistoryRequest history = about<v1alpha1::GetHistoryRequest>(redis);
  history.set_limit(-1);
  v1alpha1::GetHistoryResponse runs;
  EXPECT_EQ(client->GetHistory(call().get(), history, &runs).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, RefusesARequestThatIsTooLarge) {
  ASSERT_TRUE(start_grpc());
  EXPECT_EQ(list_code("token-of-ann", std::string(100'000, 'x')), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, AWatchSendsWhatThereIsAndThenEachChange) {
  add(a_rotation(redis));
  ASSERT_TRUE(start_grpc());
  const auto context = call();
  const auto stream = stub()->WatchRotations(context.get(), {});
  v1alpha1::RotationEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.type(), v1alpha1::RotationEvent::ADDED);
  EXPECT_EQ(event.rotation().name(), "erp-redis");
  add(a_rotation({"erp-stage", "erp-redis"}));
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.rotation().namespace_(), "erp-stage");
  context->TryCancel();
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(GrpcServerTest, AWatchOfAllIsSilentAboutWhatTheCallerMayNotRead) {
  add(a_rotation({"erp-stage", "erp-redis"}));
  add(a_rotation(redis));
  ASSERT_TRUE(start_grpc());
  const auto context = call("token-of-bob");
  const auto stream = stub()->WatchRotations(context.get(), {});
  v1alpha1::RotationEvent event;
  // Objects come by namespace, so the forbidden one would come second; what comes second is the change after it.
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.rotation().namespace_(), "erp-dev");
  add(a_rotation({"erp-dev", "other"}));
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.rotation().name(), "other");
  context->TryCancel();
}

TEST_F(GrpcServerTest, AReaderThatDoesNotReadIsCutOffAndBoundsWhatWaits) {
  ASSERT_TRUE(start_grpc());
  const auto context = call();
  const auto stream = stub()->WatchRotations(context.get(), {});
  v1alpha1::RotationEvent event;
  add(a_rotation(redis));
  ASSERT_TRUE(stream->Read(&event));
  // More than the feed and the connection's window hold together.
  api::SecretRotation large = a_rotation(redis);
  large.status.conditions[0].message = std::string(20'000, 'm');
  for (std::size_t i = 0; i < 2 * RotationFeed::changes_max; ++i) {
    large.meta.name = "r" + std::to_string(i);
    add(large);
  }
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, OneWatchTooManyIsRefusedAndAFreedPlaceIsFree) {
  ASSERT_TRUE(start_grpc({.watches_max = 1}));
  add(a_rotation(redis));
  const auto client = stub();
  v1alpha1::RotationEvent event;
  const auto first = call();
  const auto watching = client->WatchRotations(first.get(), {});
  ASSERT_TRUE(watching->Read(&event));
  const auto second = call();
  const auto refused = client->WatchRotations(second.get(), {});
  EXPECT_FALSE(refused->Read(&event));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first->TryCancel();
  EXPECT_EQ(watching->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // The server learns of the cancellation a moment later: asked until it did.
  bool served = false;
  while (!served) {
    const auto third = call();
    const auto again = client->WatchRotations(third.get(), {});
    served = again->Read(&event);
    third->TryCancel();
  }
}

TEST_F(GrpcServerTest, AWatchEndsWithItsStore) {
  add(a_rotation(redis));
  ASSERT_TRUE(start_grpc());
  const auto context = call();
  const auto stream = stub()->WatchRotations(context.get(), {});
  v1alpha1::RotationEvent event;
  ASSERT_TRUE(stream->Read(&event));
  boost::asio::post(io, [this] { store.close_watches(); });
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, StoppingEndsWatchesInGoodOrderAndRefusesWhatComesAfter) {
  add(a_rotation(redis));
  ASSERT_TRUE(start_grpc());
  const auto client = stub();
  const auto context = call();
  const auto stream = client->WatchRotations(context.get(), {});
  v1alpha1::RotationEvent event;
  ASSERT_TRUE(stream->Read(&event));
  auto stopped = std::async(std::launch::async, [this] { stop(); });
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopped.get();
  v1alpha1::ListRotationsResponse list;
  EXPECT_EQ(client->ListRotations(call().get(), {}, &list).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, AClientThatDoesNotTrustTheAuthorityIsNotServed) {
  ASSERT_TRUE(start_grpc());
  const auto stranger = v1alpha1::RotationService::NewStub(channel(net::generate_tls("other", {"localhost"})->ca_pem));
  v1alpha1::ListRotationsResponse list;
  EXPECT_EQ(stranger->ListRotations(call().get(), {}, &list).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, APortInUseIsAConflict) {
  ASSERT_TRUE(start_grpc());
  GrpcServer second(io.get_executor(), clock, pool, queries, tokens, tls.server, {.port = grpc().port()});
  const Result<> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::Conflict);
  EXPECT_EQ(started.error().message, "the address 127.0.0.1:" + std::to_string(grpc().port()) + " cannot be bound; is the port in use?");
}

TEST_F(GrpcServerTest, ABadCertificateIsNotBlamedOnThePort) {
  net::TlsIdentity broken = tls.server;
  broken.key_pem = net::generate_tls("other", {"localhost"})->server.key_pem;
  GrpcServer server(io.get_executor(), clock, pool, queries, tokens, broken);
  const Result<> started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::Invalid);
  EXPECT_EQ(started.error().message.find("port"), std::string::npos);
}

TEST_F(GrpcServerTest, HealthSaysServingForTheServerAndTheService) {
  ASSERT_TRUE(start_grpc());
  EXPECT_EQ(health_of(channel(tls.ca_pem), *call(""), ""), 1);
  EXPECT_EQ(health_of(channel(tls.ca_pem), *call(""), "keyturn.v1alpha1.RotationService"), 1);
  EXPECT_EQ(health_of(channel(tls.ca_pem), *call(""), "nonsense"), -1);
}

TEST_F(GrpcServerTest, ReflectionListsTheServiceAndKnowsItsMessages) {
  ASSERT_TRUE(start_grpc());
  EXPECT_NE(reflected(channel(tls.ca_pem), *call(""), 7, "*").find("keyturn.v1alpha1.RotationService"), std::string::npos);
  const std::string file = reflected(channel(tls.ca_pem), *call(""), 4, "keyturn.v1alpha1.RotationPlan");
  EXPECT_NE(file.find("unsafe_window"), std::string::npos);
}

TEST(Canonical, EveryErrorHasTheCodeThatItsNameSays) {
  const std::pair<Errc, grpc::StatusCode> pairs[] = {
      {Errc::NotFound, grpc::StatusCode::NOT_FOUND},        {Errc::Conflict, grpc::StatusCode::ABORTED},
      {Errc::Expired, grpc::StatusCode::DEADLINE_EXCEEDED}, {Errc::Throttled, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {Errc::Unavailable, grpc::StatusCode::UNAVAILABLE},   {Errc::OutcomeUnknown, grpc::StatusCode::UNAVAILABLE},
      {Errc::Denied, grpc::StatusCode::PERMISSION_DENIED},  {Errc::Invalid, grpc::StatusCode::INVALID_ARGUMENT},
      {Errc::Cancelled, grpc::StatusCode::UNAVAILABLE},     {Errc::Internal, grpc::StatusCode::INTERNAL},
  };
  for (const auto& [errc, code] : pairs) EXPECT_EQ(canonical_of(errc).code, code) << name_of(errc);
  EXPECT_EQ(unauthenticated.code, grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace keyturn
