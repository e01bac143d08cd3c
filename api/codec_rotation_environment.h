// The fields of a RotationEnvironment.
#pragma once

#include <variant>

#include "api/codec_fields.h"

namespace keyturn::api::codec {

template <class Io>
void describe(Io& io, Like<Io, AzureIdentity>& v) {
  io.field("type", v.type);
  io.field("clientId", v.client_id);
  io.field("clientSecretFile", v.client_secret_file);
  io.field("certificateFile", v.certificate_file);
}

template <class Io>
void describe(Io& io, Like<Io, AzureEndpoints>& v) {
  io.field("authority", v.authority);
  io.field("resourceManager", v.resource_manager);
  io.field("caFile", v.ca_file);
}

template <class Io>
void describe(Io& io, Like<Io, AzureSettings>& v) {
  io.field("cloud", v.cloud);
  io.field("tenantId", v.tenant_id);
  io.field("subscriptionId", v.subscription_id);
  io.field("identity", v.identity);
  io.field("endpoints", v.endpoints);
}

template <class Io>
void describe(Io& io, Like<Io, VaultEntry>& v) {
  io.field("name", v.name);
  io.field("vault", v.vault);
  io.field("url", v.url);
  io.field("secrets", v.secrets);
  io.field("staging", v.staging);
}

template <class Io>
void describe(Io& io, Like<Io, CredentialSource>& v) {
  io.field("user", v.user);
  io.field("vaultSecret", v.vault_secret);
  io.field("file", v.file);
}

template <class Io>
void describe(Io& io, Like<Io, PostgreSqlSystem>& v) {
  io.field("host", v.host);
  io.field("port", v.port);
  io.required("database", v.database);  // empty is not the default
  io.field("tls", v.tls);
  io.field("caFile", v.ca_file);
  io.field("principals", v.principals);
  io.field("admin", v.admin);
}

template <class Io>
void describe(Io& io, Like<Io, RedisAclSystem>& v) {
  io.field("nodes", v.nodes);
  io.field("tls", v.tls);
  io.field("caFile", v.ca_file);
  io.field("principals", v.principals);
  io.field("admin", v.admin);
  io.field("persist", v.persist);
}

// The settings stand under a member named after the type. What this build has no adapter for keeps its name only.
template <class Io>
void describe(Io& io, Like<Io, SystemEntry>& v) {
  io.field("name", v.name);
  io.field("type", v.type);
  if constexpr (Io::reading) {
    if (v.type == "PostgreSql") {
      v.settings.template emplace<PostgreSqlSystem>();
    } else if (v.type == "RedisAcl") {
      v.settings.template emplace<RedisAclSystem>();
    } else {
      v.settings.template emplace<UnsupportedSystem>();
    }
  }
  if (auto* postgresql = std::get_if<PostgreSqlSystem>(&v.settings)) {
    io.field("postgreSql", *postgresql);
  } else if (auto* redis = std::get_if<RedisAclSystem>(&v.settings)) {
    io.field("redisAcl", *redis);
  }
}

template <class Io>
void describe(Io& io, Like<Io, ContainerAppSettings>& v) {
  io.field("resourceGroup", v.resource_group);
  io.field("app", v.app);
  io.field("reference", v.reference);
  io.field("dataProtection", v.data_protection);
}

template <class Io>
void describe(Io& io, Like<Io, EnvFileSettings>& v) {
  io.field("host", v.host);
  io.field("user", v.user);
  io.field("hostKey", v.host_key);
  io.field("path", v.path);
  io.field("key", v.key);
  io.field("reload", v.reload);
}

template <class Io>
void describe(Io& io, Like<Io, HealthCheck>& v) {
  io.field("url", v.url);
  io.group("expect", [&v](Io& expect) {
    expect.field("path", v.expect_path);
    expect.field("equals", v.expect_equals);
  });
}

template <class Io>
void describe(Io& io, Like<Io, ConsumerEntry>& v) {
  io.field("name", v.name);
  io.field("type", v.type);
  io.field("containerApp", v.container_app);
  io.field("envFile", v.env_file);
  io.field("health", v.health);
}

template <class Io>
void describe(Io& io, Like<Io, Binding>& v) {
  io.field("namespaces", v.namespaces);
  io.field("secrets", v.secrets);
  io.field("systems", v.systems);
  io.field("consumers", v.consumers);
}

template <class Io>
void describe(Io& io, Like<Io, Timing>& v) {
  io.field("issue", v.issue);
  io.field("request", v.request);
  io.field("serverResidual", v.server_residual);
  io.field("lease", v.lease);
  io.field("publishDeadline", v.publish_deadline);
  io.field("soak", v.soak);
  io.field("driftInterval", v.drift_interval);
  io.field("poll", v.poll);
}

template <class Io>
void describe(Io& io, Like<Io, Freeze>& v) {
  io.field("from", v.from);
  io.field("to", v.to);
  io.field("reason", v.reason);
}

template <class Io>
void describe(Io& io, Like<Io, PromoteAfter>& v) {
  io.field("environment", v.environment);
  io.field("bake", v.bake);
}

template <class Io>
void describe(Io& io, Like<Io, Protection>& v) {
  Approval approval = v.approval_required ? Approval::Required : Approval::None;
  io.field("approval", approval);
  if constexpr (Io::reading) {
    v.approval_required = approval == Approval::Required;
  }
  io.field("requireMinReplicas", v.require_min_replicas);
  io.field("freezes", v.freezes);
  io.field("restartsPerHour", v.restarts_per_hour);
  io.field("promoteAfter", v.promote_after);
}

template <class Io>
void describe(Io& io, Like<Io, RecordSink>& v) {
  io.field("type", v.type);
  switch (v.type) {
    case RecordType::AzureDevOpsWiki:
      io.group("azureDevOpsWiki", [&v](Io& wiki) {
        wiki.field("organization", v.organization);
        wiki.field("project", v.project);
        wiki.field("wiki", v.wiki);
        wiki.field("path", v.path);
      });
      break;
    case RecordType::JsonLines:
      io.group("jsonLines", [&v](Io& file) { file.field("path", v.path); });
      break;
    case RecordType::Webhook:
      io.group("webhook", [&v](Io& webhook) { webhook.field("url", v.url); });
      break;
  }
}

template <class Io>
void describe(Io& io, Like<Io, RotationEnvironmentSpec>& v) {
  io.field("azure", v.azure);
  io.field("vaults", v.vaults);
  io.field("systems", v.systems);
  io.field("consumers", v.consumers);
  io.field("bindings", v.bindings);
  io.field("timing", v.timing);
  io.field("protection", v.protection);
  io.field("records", v.records);
}

template <class Io>
void describe(Io& io, Like<Io, TargetStatus>& v) {
  io.field("name", v.name);
  io.field("state", v.state);
  io.field("message", v.message);
  io.field("asOf", v.as_of);
}

template <class Io>
void describe(Io& io, Like<Io, RotationEnvironmentStatus>& v) {
  io.field("observedGeneration", v.observed_generation);
  io.field("vaults", v.vaults);
  io.field("systems", v.systems);
  io.field("consumers", v.consumers);
  io.field("conditions", v.conditions);
}

}  // namespace keyturn::api::codec
