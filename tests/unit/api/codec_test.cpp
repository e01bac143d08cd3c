#include "api/codec.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <random>
#include <set>
#include <string>

#include "api/schema.h"
#include "api/validate.h"
#include "tests/unit/api/filler.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

constexpr int cases_per_kind = 2000;

json::object parse(std::string_view text) { return json::parse(boost::core::string_view(text.data(), text.size())).as_object(); }

auto decode_as(const json::object& object, const SecretRotation*) { return decode_secret_rotation(object); }
auto decode_as(const json::object& object, const RotationEnvironment*) { return decode_rotation_environment(object); }
auto decode_as(const json::object& object, const RotationRun*) { return decode_rotation_run(object); }

template <class T>
class EveryKind : public testing::Test {};
using Kinds = testing::Types<SecretRotation, RotationEnvironment, RotationRun>;
TYPED_TEST_SUITE(EveryKind, Kinds);

template <class T>
void expect_equal(const T& left, const T& right, int round) {
  ASSERT_TRUE(left.meta == right.meta) << "round " << round;
  ASSERT_TRUE(left.spec == right.spec) << "round " << round;
  ASSERT_TRUE(left.status == right.status) << "round " << round;
}

TYPED_TEST(EveryKind, IsReadBackAsItWasWritten) {
  std::mt19937_64 random(20261122);
  for (int round = 0; round < cases_per_kind; ++round) {
    const auto object = codec::filled<TypeParam>(random);
    const std::string text = json::serialize(encode(object));
    const auto decoded = decode_as(parse(text), static_cast<const TypeParam*>(nullptr));
    ASSERT_TRUE(decoded) << "round " << round << ": " << decoded.error().message << "\n" << text;
    expect_equal(*decoded, object, round);
    ASSERT_TRUE(json::serialize(encode(*decoded)) == text) << "round " << round;
  }
}

TYPED_TEST(EveryKind, WritesOnlyWhatTheSchemaKnows) {
  std::mt19937_64 random(4711);
  const auto* kind = find_kind(TypeParam::plural);
  ASSERT_NE(kind, nullptr);
  for (int round = 0; round < 500; ++round) {
    json::object object = encode(codec::filled<TypeParam>(random));
    const auto unknown = prune_unknown(*kind, object);
    ASSERT_TRUE(unknown.empty()) << unknown.front();
  }
}

// What the schema has and the codec leaves alone: the types of systems and consumers without an adapter.
const std::set<std::string> not_decoded = {"spec.systems[].sqlServer",          "spec.systems[].azureManagedRedis",
                                           "spec.systems[].azureCacheForRedis", "spec.systems[].rabbitMq",
                                           "spec.systems[].keycloak",           "spec.systems[].driver",
                                           "spec.consumers[].containerAppJob",  "spec.consumers[].kubernetesWorkload",
                                           "spec.consumers[].webhook"};

void collect_paths(const json::value& value, const std::string& path, std::set<std::string>& paths) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      const std::string inner = path + "." + std::string(std::string_view(member.key()));
      paths.insert(inner);
      collect_paths(member.value(), inner, paths);
    }
  }
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list) {
      collect_paths(item, path + "[]", paths);
    }
  }
}
void collect_paths(const Schema& schema, const std::string& path, std::set<std::string>& paths) {
  for (const auto& property : schema.properties) {
    const std::string inner = path + "." + property.name;
    if (not_decoded.contains(inner)) {
      continue;
    }
    paths.insert(inner);
    const bool is_list = property.schema.items != nullptr;
    collect_paths(is_list ? *property.schema.items : property.schema, is_list ? inner + "[]" : inner, paths);
  }
}

TYPED_TEST(EveryKind, WritesEveryFieldOfTheSchema) {
  std::mt19937_64 random(7);
  const auto* kind = find_kind(TypeParam::plural);
  std::set<std::string> written;
  for (int round = 0; round < 500; ++round) {
    const json::object object = encode(codec::filled<TypeParam>(random));
    collect_paths(object.at("spec"), "spec", written);
    collect_paths(object.at("status"), "status", written);
  }
  std::set<std::string> declared;
  collect_paths(kind->spec, "spec", declared);
  collect_paths(kind->status, "status", declared);
  EXPECT_EQ(written, declared);
}

TYPED_TEST(EveryKind, TakesTheSameDefaultsAsTheSchema) {
  const auto* kind = find_kind(TypeParam::plural);
  json::object sparse = parse(R"({"metadata":{"name":"a"},"spec":{"generator":{},"strategy":{"waves":{}},"history":{},"timing":{},
    "azure":{"identity":{}},"protection":{"promoteAfter":{}},"secret":{"format":{}}}})");
  json::object defaulted = sparse;
  apply_defaults(*kind, defaulted);
  const auto from_sparse = decode_as(sparse, static_cast<const TypeParam*>(nullptr));
  const auto from_defaulted = decode_as(defaulted, static_cast<const TypeParam*>(nullptr));
  ASSERT_TRUE(from_sparse);
  ASSERT_TRUE(from_defaulted);
  expect_equal(*from_sparse, *from_defaulted, 0);
}

TYPED_TEST(EveryKind, IgnoresWhatItDoesNotKnowAndTakesNullForAbsent) {
  json::object object =
      parse(R"({"metadata":{"name":"a","future":[1]},"spec":{"future":{"x":1},"consumers":null},"status":null,"more":1})");
  const auto decoded = decode_as(object, static_cast<const TypeParam*>(nullptr));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->meta.name, "a");
}

TYPED_TEST(EveryKind, RefusesAnotherKind) {
  for (const char* text : {R"({"kind":"Secret"})", R"({"kind":7})"}) {
    const auto decoded = decode_as(parse(text), static_cast<const TypeParam*>(nullptr));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::Invalid);
    EXPECT_EQ(decoded.error().message, "kind: must be " + std::string(TypeParam::kind));
  }
}

TEST(SecretRotationCodec, NamesTheFirstFieldThatDoesNotFit) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"spec":[]})", "spec: must be an object"},
      {R"({"metadata":{"labels":{"a":1}}})", "metadata.labels.a: must be a string"},
      {R"({"metadata":{"labels":[]}})", "metadata.labels: must be an object"},
      {R"({"metadata":{"generation":1.5}})", "metadata.generation: must be a whole number"},
      {R"({"metadata":{"creationTimestamp":"yesterday"}})", "metadata.creationTimestamp: must be a time such as 2026-11-22T18:00:00Z"},
      {R"({"spec":{"suspend":"yes"}})", "spec.suspend: must be true or false"},
      {R"({"spec":{"environmentRef":"dev"}})", "spec.environmentRef: must be an object"},
      {R"({"spec":{"environmentRef":{"name":1}}})", "spec.environmentRef.name: must be a string"},
      {R"({"spec":{"generator":{"type":"UUID"}}})", "spec.generator.type: must be one of the words that the API knows"},
      {R"({"spec":{"generator":{"type":1}}})", "spec.generator.type: must be one of the words that the API knows"},
      {R"({"spec":{"generator":{"length":3000000000}}})", "spec.generator.length: must be a whole number of at most 32 bits"},
      {R"({"spec":{"secret":{"vaults":"main"}}})", "spec.secret.vaults: must be a list"},
      {R"({"spec":{"secret":{"vaults":["main",1]}}})", "spec.secret.vaults[1]: must be a string"},
      {R"({"spec":{"dependents":[{},{"principals":["a",{}]}]}})", "spec.dependents[1].principals[1]: must be a string"},
      {R"({"spec":{"schedule":{"every":"90d"}}})", "spec.schedule.every: must be a duration such as 1h30m"},
      {R"({"spec":{"schedule":{"every":90}}})", "spec.schedule.every: must be a duration such as 1h30m"},
      {R"({"status":{"history":[{"serial":"1"}]}})", "status.history[0].serial: must be a whole number of at most 32 bits"},
  };
  for (const auto& [text, message] : cases) {
    const auto decoded = decode_secret_rotation(parse(text));
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, Errc::Invalid) << text;
    EXPECT_EQ(decoded.error().message, message) << text;
  }
}

TEST(SecretRotationCodec, TakesAWholeNumberWithAPoint) {
  const auto decoded = decode_secret_rotation(parse(R"({"spec":{"generator":{"length":20.0}}})"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->spec.generator.length, 20);
}

TEST(SecretRotationCodec, WritesTheNamesOfTheApi) {
  SecretRotation object;
  object.meta.name = "db";
  object.meta.ns = "erp-dev";
  object.spec.environment = "dev";
  object.spec.revision = "2026-q4";
  object.spec.schedule = Schedule{.every = std::chrono::hours(2160),
                                  .windows = {{.days = {Weekday::Tue}, .start = "02:00", .duration = std::chrono::hours(4)}}};
  object.spec.pin_serial = 2;
  object.spec.issued_not_before = Instant(std::chrono::seconds(1767225600));
  object.spec.secret = {.vaults = {"main"},
                        .name = "ConnectionStrings--DefaultConnection",
                        .format = {.type = FormatType::AdoNetConnectionString, .password_field = "Password", .user_field = "User Id"}};
  object.spec.dependents = {{.system = "erp-sql", .principals = {"a", "b"}}};
  object.spec.consumers = {{.name = "portal", .reload = ReloadMode::Poll}};
  object.spec.strategy.waves.canary = {"portal"};
  object.status.observed_generation = 2;
  object.status.current = CredentialStatus{.name = {"2026-q4", 1},
                                           .version = {"6f0c"},
                                           .state = CredentialState::Current,
                                           .issued_at = Instant(std::chrono::seconds(1)),
                                           .activated_at = Instant(Duration(1500))};
  object.status.consumers = {{.name = "portal", .using_credential = "2026-q4.1", .state = "Verified", .evidence = "2 of 2"}};
  object.status.conditions = {{.type = "Ready",
                               .status = Tristate::True,
                               .observed_generation = 2,
                               .reason = "CurrentVerified",
                               .message = "",
                               .last_transition = Instant(std::chrono::seconds(1))}};
  EXPECT_EQ(
      json::serialize(encode(object)),
      R"({"apiVersion":"keyturn.dev/v1alpha1","kind":"SecretRotation","metadata":{"name":"db","namespace":"erp-dev"},)"
      R"("spec":{"environmentRef":{"name":"dev"},"revision":"2026-q4","reason":"Routine",)"
      R"("schedule":{"every":"2160h0m0s","windows":[{"days":["Tue"],"start":"02:00","duration":"4h0m0s","timeZone":"UTC"}]},)"
      R"("pin":{"serial":2},"issuedNotBefore":"2026-01-01T00:00:00Z","suspend":false,"class":"Credential",)"
      R"("secret":{"vaults":["main"],"name":"ConnectionStrings--DefaultConnection","format":{"type":"AdoNetConnectionString","passwordField":"Password","userField":"User Id"}},)"
      R"("generator":{"type":"Password","length":32},"dependents":[{"system":"erp-sql","principals":["a","b"]}],)"
      R"("consumers":[{"name":"portal","reload":"Poll"}],)"
      R"("strategy":{"type":"Auto","acknowledgeOutage":false,"overlap":"24h0m0s","waves":{"maxUnavailable":1,"canary":["portal"],"bake":"0s"},)"
      R"("minReplicas":2,"progressDeadline":"1h0m0s","onFailure":"Rollback","driftPolicy":"Report","revokeOld":false,"sharedKey":"AcceptSet","rollbackHold":"24h0m0s"},)"
      R"("history":{"keep":5},"deletionPolicy":"Retain"},)"
      R"("status":{"observedGeneration":2,"current":{"name":"2026-q4.1","revision":"2026-q4","serial":1,"version":"6f0c","state":"Current","issuedAt":"1970-01-01T00:00:01Z","activatedAt":"1970-01-01T00:00:01.500000Z"},)"
      R"("consumers":[{"name":"portal","using":"2026-q4.1","state":"Verified","evidence":"2 of 2"}],)"
      R"("conditions":[{"type":"Ready","status":"True","observedGeneration":2,"reason":"CurrentVerified","message":"","lastTransitionTime":"1970-01-01T00:00:01Z"}]}})");
}

TEST(SecretRotationCodec, AnEmptyStatusSaysThatNobodyHasLooked) {
  EXPECT_EQ(json::serialize(encode_status(SecretRotationStatus{})), R"({"observedGeneration":-1})");
}

TEST(RotationEnvironmentCodec, KeepsTheSettingsOfTheTypeItNames) {
  const auto decoded = decode_rotation_environment(parse(R"({"spec":{"systems":[
      {"name":"a","type":"PostgreSql","postgreSql":{"host":"h","principals":["p"],"admin":{"user":"k","file":"/run/pw"}}},
      {"name":"b","type":"RedisAcl","redisAcl":{"nodes":["n:1"],"tls":"LoopbackPlain"}},
      {"name":"c","type":"SqlServer","sqlServer":{"host":"h"}},
      {"name":"d","type":"PostgreSql"}],
      "protection":{"approval":"Required"},
      "consumers":[{"name":"e","type":"EnvFile","envFile":{"host":"h","hostKey":"ssh-ed25519 AAAA"}},
                   {"name":"f","type":"ContainerApp","containerApp":{"app":"x"},"health":{"url":"https://x","expect":{"path":"/status","equals":"Healthy"}}}]}})"));
  ASSERT_TRUE(decoded) << decoded.error().message;
  const auto& spec = decoded->spec;
  const auto* postgresql = std::get_if<PostgreSqlSystem>(&spec.systems[0].settings);
  ASSERT_NE(postgresql, nullptr);
  EXPECT_EQ(postgresql->port, 5432);
  EXPECT_EQ(postgresql->admin.file, "/run/pw");
  const auto* redis = std::get_if<RedisAclSystem>(&spec.systems[1].settings);
  ASSERT_NE(redis, nullptr);
  EXPECT_EQ(redis->tls, TlsMode::LoopbackPlain);
  EXPECT_TRUE(redis->persist);
  EXPECT_TRUE(std::holds_alternative<UnsupportedSystem>(spec.systems[2].settings));
  EXPECT_EQ(spec.systems[2].type, "SqlServer");
  EXPECT_TRUE(std::holds_alternative<PostgreSqlSystem>(spec.systems[3].settings));
  EXPECT_TRUE(spec.protection.approval_required);
  ASSERT_TRUE(spec.consumers[0].env_file);
  EXPECT_EQ(spec.consumers[0].env_file->host_key, "ssh-ed25519 AAAA");
  ASSERT_TRUE(spec.consumers[1].health);
  EXPECT_EQ(spec.consumers[1].health->expect_equals, "Healthy");
}

TEST(RotationRunCodec, WritesTheNamesOfTheApi) {
  RotationRun run;
  run.spec.rotation = {"erp-dev", "db"};
  run.spec.rotation_uid = {"u-1"};
  run.spec.credential = {"2026-q4", 2};
  run.status.phase = Phase::RollingBack;
  run.status.blocked = "Drift";
  run.status.targets = {{.kind = TargetKind::Vault, .name = "main", .state = "Intended", .intent_epoch = {"e"}, .attempts = 1}};
  const json::object object = encode(run);
  EXPECT_EQ(json::serialize(object.at("spec").at("rotationRef")), R"({"namespace":"erp-dev","name":"db","uid":"u-1"})");
  EXPECT_EQ(json::serialize(object.at("spec").at("credential")), R"({"name":"2026-q4.2","revision":"2026-q4","serial":2})");
  EXPECT_EQ(
      json::serialize(object.at("status")),
      R"({"phase":"RollingBack","blocked":"Drift","targets":[{"kind":"Vault","name":"main","state":"Intended","intentEpoch":"e","attempts":1}]})");
}

TEST(RotationRunCodec, WritesWhatAProviderMakesAndWhereAConsumerReads) {
  RotationRun run;
  run.spec.protocol = Protocol::Slots;
  run.spec.frozen.secret.format.type = FormatType::KeySet;
  run.spec.frozen.consumers = {{.name = "portal", .vault = "other"}};
  run.spec.bootstrap = true;
  run.status.phase = Phase::Minting;
  run.status.slot = 0;
  run.status.slot_before = {"version-7"};
  const json::object object = encode(run);
  EXPECT_EQ(json::serialize(object.at("status")), R"({"phase":"Minting","slot":0,"slotBefore":"version-7"})");
  EXPECT_EQ(json::serialize(object.at("spec").at("frozen").at("consumers")), R"([{"name":"portal","vault":"other","reload":"Restart"}])");
  EXPECT_EQ(json::serialize(object.at("spec").at("frozen").at("secret").at("format")), R"({"type":"KeySet"})");
  EXPECT_TRUE(object.at("spec").at("bootstrap").as_bool());
  const auto read = decode_rotation_run(object);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->spec, run.spec);
  EXPECT_EQ(read->status, run.status);
}

TEST(SpecHash, IsStableAndIgnoresTheApprovalOnly) {
  SecretRotationSpec spec;
  spec.revision = "2026-q4";
  const std::string hash = spec_hash(spec);
  EXPECT_EQ(hash.size(), 71U);
  EXPECT_TRUE(hash.starts_with("sha256:"));
  EXPECT_EQ(spec_hash(spec), hash);
  spec.approved_plan = hash;
  EXPECT_EQ(spec_hash(spec), hash);
  spec.consumers.push_back({.name = "portal"});
  EXPECT_NE(spec_hash(spec), hash);
}

TEST(Words, AreTheEnumeratorsNames) {
  EXPECT_EQ(name_of(Reason::ConfirmedCompromise), "ConfirmedCompromise");
  EXPECT_EQ(name_of(Phase::Abandoned), "Abandoned");
  EXPECT_EQ(name_of(Direction::Back), "Back");
  EXPECT_EQ(name_of(Phase::Minting), "Minting");
  EXPECT_EQ(name_of(Protocol::Alternating), "Alternating");
  EXPECT_EQ(name_of(Protocol::Slots), "Slots");
  EXPECT_EQ(name_of(Protocol::Shift), "Shift");
  EXPECT_EQ(name_of(Protocol::SharedKey), "SharedKey");
  EXPECT_EQ(word_of(FormatType::KeySet), "KeySet");
  EXPECT_EQ(name_of(CredentialState::Rejected), "Rejected");
  EXPECT_EQ(name_of(TargetKind::Consumer), "Consumer");
  EXPECT_EQ(name_of(Tristate::True), "True");
  EXPECT_EQ(name_of(static_cast<Phase>(200)), "Unknown");
  EXPECT_EQ(parse_word<Phase>("Retiring"), Phase::Retiring);
  EXPECT_EQ(parse_word<Phase>("retiring"), std::nullopt);
}

TEST(Conditions, AreFoundByTheirType) {
  const std::vector<Condition> conditions = {{.type = "Ready"}, {.type = "Rotating", .reason = "Scheduled"}};
  ASSERT_NE(find_condition(conditions, "Rotating"), nullptr);
  EXPECT_EQ(find_condition(conditions, "Rotating")->reason, "Scheduled");
  EXPECT_EQ(find_condition(conditions, "Stalled"), nullptr);
}

}  // namespace
}  // namespace keyturn::api
