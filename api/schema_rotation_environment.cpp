#include "api/schema_builder.h"
#include "api/schema_kinds.h"

namespace keyturn::api::schema {
namespace {

Schema file_path(std::string description) { return text(std::move(description), 512, pattern::absolute_path); }
Schema host(std::string description) { return text(std::move(description), 253, pattern::host); }
Schema port(std::string description, int default_port) {
  // Systems are list items, which have no defaults: the description tells what is assumed.
  return integer(std::move(description) + " Absent: " + std::to_string(default_port) + ".", 1, 65535);
}
Schema tls() {
  return word<TlsMode>("Verify (the default): TLS with a verified name. LoopbackPlain: no TLS, accepted only for a loopback address.");
}
Schema ca_file() { return file_path("PEM bundle to believe instead of the system's; a path on the controller's host."); }
Schema principals(std::string description) {
  return set_of(std::move(description), {1, 64}, text("A name as the system writes it.", 128, pattern::principal));
}
Schema azure_name(std::string description) { return text(std::move(description), 90, pattern::azure_name); }
Schema admin(std::string description) {
  return object(std::move(description),
                {{"user", text("Who logs in.", 128, pattern::principal)},
                 {"vaultSecret", text("Name of the secret that holds the password, in the staging vault. Either this or file.", 127,
                                      pattern::vault_secret)},
                 {"file", file_path("File on the controller's host that holds the password. Either this or vaultSecret.")}},
                {"user"});
}

Schema azure_schema() {
  Schema identity = object(
      "With which identity Azure is called. What proves the identity is never in this object.",
      {{"type",
        word("WorkloadIdentity: the token of the controller's ServiceAccount. ManagedIdentity: the host's own. ClientCertificate and "
             "ClientSecret: a file. AzureCli: who is logged in on a laptop.",
             IdentityType::WorkloadIdentity)},
       {"clientId", text("Application id of the identity.", 36, pattern::uuid)},
       {"clientSecretFile", file_path("ClientSecret: file on the controller's host that holds the secret.")},
       {"certificateFile", file_path("ClientCertificate: PEM file on the controller's host with certificate and key.")}});
  Schema endpoints = object("Where a cloud of type Custom is: this is how keyturn-sim is reached.",
                            {{"authority", text("Origin that issues tokens, as in https://localhost:8443.", 253, pattern::https_origin)},
                             {"resourceManager", text("Origin of the resource manager.", 253, pattern::https_origin)},
                             {"caFile", ca_file()}},
                            {"authority", "resourceManager"});
  return object("The Azure subscription of the environment.",
                {{"cloud", word("Public, USGovernment or China: their known endpoints. Custom: the endpoints given below.", Cloud::Public)},
                 {"tenantId", text("Directory that the identity belongs to.", 36, pattern::uuid)},
                 {"subscriptionId", text("Subscription of the applications and caches.", 36, pattern::uuid)},
                 {"identity", std::move(identity)},
                 {"endpoints", std::move(endpoints)}});
}

Schema vaults_schema() {
  return list_of_maps(
      "Key vaults.", "name", {1, 32},
      object("One key vault.",
             {{"name", name("How rotations name it.")},
              {"vault", text("Its name in Azure; the host follows from it and from the cloud.", 24, pattern::vault)},
              {"url", text("Only with cloud Custom: its origin.", 253, pattern::https_origin)},
              {"secrets", set_of("Which secrets of it may be rotated; '*' stands for any run of characters.", {1, 128},
                                 text("Name or pattern of a secret.", 127, pattern::glob))},
              {"staging", flag("Whether pending values are staged here. At most one vault is; without one nothing rotates.")}},
             {"name", "secrets"}));
}

Schema sql_server() {
  return object("SQL Server or Azure SQL.",
                {{"host", host("Name of the server.")},
                 {"port", port("TCP port.", 1433)},
                 {"encrypt", choice("Strict (the default): TLS before the first byte. Mandatory: TLS inside of the protocol.",
                                    {"Strict", "Mandatory"})},
                 {"caFile", ca_file()},
                 {"principals", principals("Logins that may be rotated.")},
                 {"admin", admin("Who changes the passwords.")}},
                {"host", "principals", "admin"});
}
Schema postgresql() {
  return object("PostgreSQL.",
                {{"host", host("Name of the server.")},
                 {"port", port("TCP port.", 5432)},
                 {"database", text("Database to connect to. Absent: postgres.", 63, pattern::principal)},
                 {"tls", tls()},
                 {"caFile", ca_file()},
                 {"principals", principals("Roles that may be rotated.")},
                 {"admin", admin("Who changes the passwords.")}},
                {"host", "principals", "admin"});
}
Schema redis_acl() {
  return object("Redis with access control lists. A user holds several passwords at a time.",
                {{"nodes", set_of("Every node, as host:port. Each is written and verified.", {1, 32},
                                  text("host:port.", 260, pattern::host_and_port))},
                 {"tls", tls()},
                 {"caFile", ca_file()},
                 {"principals", principals("Users that may be rotated.")},
                 {"admin", admin("Who changes the passwords.")},
                 {"persist", flag("Whether every change is saved by the server, so that it survives a restart. Absent: true.")}},
                {"nodes", "principals", "admin"});
}
Schema azure_managed_redis() {
  return object("Azure Managed Redis: two keys, made by Azure.",
                {{"resourceGroup", azure_name("Resource group of the cluster.")},
                 {"cluster", azure_name("Name of the cluster.")},
                 {"database", azure_name("Name of the database. Absent: default.")}},
                {"resourceGroup", "cluster"});
}
Schema azure_cache_for_redis() {
  return object("Azure Cache for Redis: two keys, made by Azure.",
                {{"resourceGroup", azure_name("Resource group of the cache.")}, {"cache", azure_name("Name of the cache.")}},
                {"resourceGroup", "cache"});
}
Schema rabbitmq() {
  return object("RabbitMQ, through its management API.",
                {{"url", text("Origin of the management API, as in https://rabbit.example.com:15671.", 253, pattern::https_origin)},
                 {"caFile", ca_file()},
                 {"principals", principals("Users that may be rotated.")},
                 {"admin", admin("Who changes the passwords.")}},
                {"url", "principals", "admin"});
}
Schema keycloak() {
  return object("Keycloak, through its admin API.",
                {{"url", text("Origin, as in https://id.example.com.", 253, pattern::https_origin)},
                 {"realm", azure_name("Realm of the clients.")},
                 {"caFile", ca_file()},
                 {"principals", principals("Clients whose secret may be rotated.")},
                 {"admin", admin("Which client or user changes the secrets.")}},
                {"url", "realm", "principals", "admin"});
}
Schema driver() {
  return object("A driver outside of this process, in any language, over gRPC.",
                {{"address", text("host:port of the driver.", 260, pattern::host_and_port)},
                 {"caFile", ca_file()},
                 {"principals", principals("Principals that may be rotated.")}},
                {"address", "principals"});
}

Schema systems_schema() {
  return list_of_maps("Systems that check credentials.", "name", {0, 128},
                      object("One system. Its settings stand under the member that is named after its type.",
                             {{"name", name("How rotations name it.")},
                              {"type", choice("What it is.", {"SqlServer", "PostgreSql", "RedisAcl", "AzureManagedRedis",
                                                              "AzureCacheForRedis", "RabbitMq", "Keycloak", "Driver"})},
                              {"sqlServer", sql_server()},
                              {"postgreSql", postgresql()},
                              {"redisAcl", redis_acl()},
                              {"azureManagedRedis", azure_managed_redis()},
                              {"azureCacheForRedis", azure_cache_for_redis()},
                              {"rabbitMq", rabbitmq()},
                              {"keycloak", keycloak()},
                              {"driver", driver()}},
                             {"name", "type"}));
}

Schema container_app() {
  return object(
      "An Azure Container App.",
      {{"resourceGroup", azure_name("Resource group of the app.")},
       {"app", azure_name("Name of the app.")},
       {"reference", word<ReferenceMode>("How the app refers to the secret. Versionless (the default): to its newest version. Pinned: to "
                                         "one version, which a rotation changes.")},
       {"dataProtection", word<DataProtection>("Whether a restart may lose an ASP.NET DataProtection key ring. Detect (the default): "
                                               "find out. Persisted and NotUsed: declared safe.")}},
      {"resourceGroup", "app"});
}
Schema container_app_job() {
  return object("An Azure Container Apps job: its next execution loads the new value.",
                {{"resourceGroup", azure_name("Resource group of the job.")}, {"job", azure_name("Name of the job.")}},
                {"resourceGroup", "job"});
}
Schema env_file() {
  return object(
      "A .env file on a host, written over SSH: atomically, with its owner and mode kept.",
      {{"host", host("Name of the host.")},
       {"user", text("Who logs in.", 32, pattern::principal)},
       {"hostKey", text("The host's public key, as in: ssh-ed25519 AAAA... It is compared, never learnt.", 1024, pattern::ssh_host_key)},
       {"path", file_path("Path of the file on the host.")},
       {"key", text("Name of the variable in the file.", 128, pattern::variable)},
       {"reload", name("Verb of the host's forced command that makes the services load the file, as in recreate.")}},
      {"host", "user", "hostKey", "path", "key"});
}
Schema kubernetes_workload() {
  return object("A workload in the controller's cluster whose value is kept in a Kubernetes Secret.",
                {{"namespace", name("Namespace of the workload and of the Secret.")},
                 {"kind", choice("Kind of the workload.", {"Deployment", "StatefulSet", "DaemonSet"})},
                 {"name", text("Name of the workload.", 253, pattern::subdomain)},
                 {"secret", text("Name of the Secret.", 253, pattern::subdomain)},
                 {"key", text("Key in the Secret.", 253, pattern::field_name)}},
                {"namespace", "kind", "name", "secret", "key"});
}
Schema webhook_consumer() {
  return object("Something that is told to reload by a signed request.", {{"url", text("Where the request goes.", 2048, pattern::url)}},
                {"url"});
}
Schema health() {
  return object("A page that tells whether the application is healthy.",
                {{"url", text("Address of the page.", 2048, pattern::url)},
                 {"expect", object("What the page must say. Absent: any status of 200 to 299 is healthy.",
                                   {{"path", text("JSON pointer into the page, as in /status.", 256, pattern::json_pointer)},
                                    {"equals", text("The text that must stand there, as in Healthy.", 256)}},
                                   {"path", "equals"})}},
                {"url"});
}

Schema consumers_schema() {
  return list_of_maps(
      "Applications that load secrets.", "name", {0, 256},
      object("One application. Its settings stand under the member that is named after its type.",
             {{"name", name("How rotations name it.")},
              {"type", choice("What it is.", {"ContainerApp", "ContainerAppJob", "EnvFile", "KubernetesWorkload", "Webhook"})},
              {"containerApp", container_app()},
              {"containerAppJob", container_app_job()},
              {"envFile", env_file()},
              {"kubernetesWorkload", kubernetes_workload()},
              {"webhook", webhook_consumer()},
              {"health", health()}},
             {"name", "type"}));
}

Schema bindings_schema() {
  const auto patterns = [](std::string description) {
    return set_of(std::move(description), {0, 128}, text("Name, or pattern with '*'.", 253, pattern::glob));
  };
  return atomic_list("Authority: a namespace may use what one of these gives it, and nothing else.", {0, 256},
                     object("One grant. A rotation needs a single grant that covers all that it names.",
                            {{"namespaces", set_of("Who: namespaces.", {1, 128}, text("Name, or pattern with '*'.", 63, pattern::glob))},
                             {"secrets", patterns("Which secrets, by their name in the vaults.")},
                             {"systems", patterns("Which systems of this environment.")},
                             {"consumers", patterns("Which consumers of this environment.")}},
                            {"namespaces"}));
}

Schema timing_schema() {
  const auto term = [](std::string description, std::string value) {
    return with_default(duration(std::move(description)), boost::json::value(value));
  };
  return object(
      "Deadlines and the terms of the quarantine. The defaults hold for the real Azure; a rehearsal shortens them.",
      {{"issue", term("From recording an intent to the first byte of its request.", "1s")},
       {"request", term("Deadline of one request.", "10s")},
       {"serverResidual",
        term("How long a server may still finish a request that was given up. Less than 2m only with cloud Custom.", "2m")},
       {"lease", term("How long a controller may believe to lead after it lost the lease.", "15s")},
       {"publishDeadline", term("Publishing that takes longer turns the run back.", "1m")},
       {"soak",
        term("How long nobody may use the old credential before it is retired: the platform's polling period and a margin.", "31m")},
       {"driftInterval", term("How often everything is looked at while nothing is under way, at least 100ms.", "5m")},
       {"poll", term("Time between two looks at something that is under way, at least 100ms.", "2s")}});
}

Schema protection_schema() {
  Schema freeze = object("One freeze.",
                         {{"from", instant("When it begins.")},
                          {"to", instant("When it is over: the first moment that is free again.")},
                          {"reason", text("Why, shown while it holds.", 256)}},
                         {"from", "to"});
  return object(
      "What makes this environment harder to change than others.",
      {{"approval", word("Required: a run starts only when the rotation's approvedPlan names its plan.", Approval::None)},
       {"requireMinReplicas",
        with_default(flag("Refuse, instead of warn, where a consumer has fewer copies than its rotation asks for."), false)},
       {"freezes", atomic_list("Times in which no run starts, and one under way is parked at its next safe point. Going back, a confirmed "
                               "compromise and a raised issuedNotBefore are not held up.",
                               {0, 64}, std::move(freeze))},
       {"restartsPerHour",
        with_default(
            integer("How often Keyturn may begin to restart one application within an hour, over all rotations. A run waits for it "
                    "only going forward and where the old credential stays valid meanwhile; a confirmed compromise does not wait.",
                    1, 1000),
            6)},
       {"promoteAfter",
        object(
            "A revision that is new here starts only after the same revision has been in use in another environment: for the rotation of "
            "the same object name (in any namespace) and the same secret name, without a break until now, counted from the end of the "
            "run that brought it in. Going back, scheduled serials of a revision in use here, a confirmed compromise and a raised "
            "issuedNotBefore are not held up.",
            {{"environment", text("Name of that RotationEnvironment. Empty: no such condition.", 253)},
             {"bake", with_default(duration("For how long it has been in use there."), "0s")}})}});
}

Schema records_schema() {
  Schema wiki = object("A page per run in an Azure DevOps wiki.",
                       {{"organization", azure_name("Organization.")},
                        {"project", azure_name("Project.")},
                        {"wiki", azure_name("Name of the wiki.")},
                        {"path", file_path("Page under which the pages are made.")}},
                       {"organization", "project", "wiki", "path"});
  return atomic_list("Where the record of each finished run is copied to. A record never holds a value.", {0, 16},
                     object("One copy.",
                            {{"type", word<RecordType>("AzureDevOpsWiki: a page. JsonLines: a line of a file. Webhook: a signed request.")},
                             {"azureDevOpsWiki", std::move(wiki)},
                             {"jsonLines", object("A file on the controller's host, one JSON document per line.",
                                                  {{"path", file_path("Path of the file.")}}, {"path"})},
                             {"webhook", object("A signed request.", {{"url", text("Where it goes.", 2048, pattern::url)}}, {"url"})}},
                            {"type"}));
}

Schema target_states(std::string description, std::int64_t max) {
  return list_of_maps(std::move(description), "name", {0, max},
                      object("What is known of one of them.",
                             {{"name", name("Its name in the spec.")},
                              {"state", text("Reachable, Unreachable, Denied or Unknown.", 32)},
                              {"message", text("One stable sentence for people.", 512)},
                              {"asOf", instant("When that was found out.")}},
                             {"name"}));
}

}  // namespace

KindSchema rotation_environment() {
  KindSchema kind;
  kind.kind = RotationEnvironment::kind;
  kind.plural = RotationEnvironment::plural;
  kind.singular = "rotationenvironment";
  kind.short_name = "renv";
  kind.namespaced = false;
  kind.description =
      "Says what exists in one environment (vaults, systems, applications), with which identity it is reached, and which namespace may use "
      "what. It never holds a value. Written by the platform's administrators.";
  kind.spec = object("The inventory and the authority. The controller never writes here.",
                     {{"azure", azure_schema()},
                      {"vaults", vaults_schema()},
                      {"systems", systems_schema()},
                      {"consumers", consumers_schema()},
                      {"bindings", bindings_schema()},
                      {"timing", timing_schema()},
                      {"protection", protection_schema()},
                      {"records", records_schema()}},
                     {"azure", "vaults"});
  kind.status = with_default(object("What was found, written by the controller alone.",
                                    {{"observedGeneration", observed_generation()},
                                     {"vaults", target_states("Whether the vaults can be reached and used.", 32)},
                                     {"systems", target_states("Whether the systems can be reached and used.", 128)},
                                     {"consumers", target_states("Whether the applications can be reached and used.", 256)},
                                     {"conditions", conditions("Ready, and Stalled while it is true.")}}),
                             {{"observedGeneration", -1}});
  kind.rules = rotation_environment_rules();
  kind.columns = {
      {"Ready", "string", "Whether everything declared can be reached and used.", R"(.status.conditions[?(@.type=="Ready")].status)"},
      {"Reason", "string", "Why.", R"(.status.conditions[?(@.type=="Ready")].reason)"},
      {"Age", "date", "When the object was created.", ".metadata.creationTimestamp"},
      {"Message", "string", "The state in one sentence.", R"(.status.conditions[?(@.type=="Ready")].message)", 1},
  };
  return kind;
}

}  // namespace keyturn::api::schema
