// The samples are the runbook's environment and its five secrets: they must be valid by themselves and together.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <set>
#include <string>

#include "api/codec.h"
#include "api/validate.h"
#include "tests/unit/api/yaml_document.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

json::value sample(const std::string& file) { return test::parse_yaml(test::read_file(test::source_path("manifests/samples/" + file))); }

std::vector<std::string> sample_files() {
  std::vector<std::string> files;
  const json::value kustomization = sample("kustomization.yaml");
  for (const auto& file : kustomization.at("resources").as_array()) {
    files.emplace_back(file.as_string().c_str());
  }
  return files;
}

const KindSchema& kind_of(const json::value& object) {
  for (const auto& kind : kinds()) {
    if (object.at("kind") == json::value(kind.kind)) {
      return kind;
    }
  }
  throw std::runtime_error("a sample of no kind");
}

std::string told(const Violations& violations) {
  std::string text;
  for (const auto& violation : violations) {
    text += violation.field + ": " + violation.message + "\n";
  }
  return text;
}

TEST(Samples, AreValidAndHoldNothingUnknown) {
  EXPECT_EQ(sample_files().size(), 6U);
  for (const auto& file : sample_files()) {
    json::object object = sample(file).as_object();
    const KindSchema& kind = kind_of(object);
    EXPECT_TRUE(prune_unknown(kind, object).empty()) << file;
    EXPECT_EQ(told(validate(kind, object)), "") << file;
    apply_defaults(kind, object);
    EXPECT_EQ(told(validate(kind, object)), "") << file;
  }
}

TEST(Samples, AreTheFiveSecretsOfTheRunbookAndAllowedByTheirEnvironment) {
  const auto environment = decode_rotation_environment(sample("environment-dev.yaml").as_object());
  ASSERT_TRUE(environment) << environment.error().message;
  std::set<std::string> secrets;
  for (const auto& file : sample_files()) {
    const json::value object = sample(file);
    if (object.at("kind") != "SecretRotation") {
      continue;
    }
    const auto rotation = decode_secret_rotation(object.as_object());
    ASSERT_TRUE(rotation) << rotation.error().message;
    secrets.insert(rotation->spec.secret.name);
    EXPECT_EQ(rotation->spec.environment, environment->meta.name);
    EXPECT_EQ(told(validate_against(environment->spec, rotation->meta.ns, rotation->spec)), "") << file;
    EXPECT_NE(told(validate_against(environment->spec, "another-team", rotation->spec)), "") << file;
  }
  EXPECT_EQ(secrets, (std::set<std::string>{"ConnectionStrings--DefaultConnection", "Keycloak--ClientSecret", "RabbitMq--Password",
                                            "RedisConfiguration--Password", "XApiKey"}));
}

TEST(Samples, NameAllTenServicesOfTheRunbook) {
  const auto environment = decode_rotation_environment(sample("environment-dev.yaml").as_object());
  ASSERT_TRUE(environment);
  std::set<std::string> apps;
  for (const auto& consumer : environment->spec.consumers) {
    if (consumer.container_app) {
      apps.insert(consumer.container_app->app);
      EXPECT_EQ(consumer.container_app->app, "mic-erp-be-dev-" + consumer.name);
    }
  }
  EXPECT_EQ(apps.size(), 10U);
}

}  // namespace
}  // namespace keyturn::api
