#include "reconcilers/azure/container_app.h"

#include <boost/json/serialize.hpp>

#include <algorithm>

#include "api/reasons.h"
#include "base/hash.h"

namespace keyturn {
namespace {

namespace json = boost::json;
using Stage = ConvergenceMark::Stage;

Error no_date() { return {Errc::Unavailable, "Azure Resource Manager answered without a date"}; }

Result<AppTarget> parsed(const ConvergeTarget& target) {
  const Result<net::Url> vault = net::Url::parse(target.vault_url);
  if (!vault) return Error{Errc::Invalid, "the vault's address cannot be used"};
  return AppTarget{vault->origin, target.secret, target.version, target.reload};
}

ConsumerFacts no_such_app() {
  ConsumerFacts out;
  out.evidence = "the application does not exist";
  out.refusal = api::reason::invalid_reference;
  return out;
}

// The app's names for the secret of the target.
std::vector<std::string> names_of(const AppView& app, const AppTarget& target) {
  std::vector<std::string> out;
  for (const AppSecretEntry& entry : app.secrets)
    if (refers_to(entry, target.vault, target.secret)) out.push_back(entry.name);
  return out;
}

// A mark at the beginning of `stage`.
ConvergenceMark mark_of(const AppTarget& target, const AppView& app, const std::vector<AppSecretEntry>& secrets, Stage stage) {
  ConvergenceMark out;
  out.version = target.version;
  out.reload = target.reload;
  out.references = references_fingerprint(secrets);
  out.errors = app.errors_fingerprint;
  out.stage = stage;
  out.at = app.date;
  return out;
}

const ConvergenceMark* pointer(const std::optional<ConvergenceMark>& mark) { return mark ? &*mark : nullptr; }

// The user's own spelling of vault and secret with another version behind it.
std::string with_version(const std::string& url, const std::string& version) {
  const auto reference = parse_vault_reference(url);
  std::string base = url;
  if (!base.empty() && base.back() == '/') base.pop_back();
  if (!reference->version.empty()) base.resize(base.size() - reference->version.size() - 1);
  return base + "/" + version;
}

std::vector<AppSecretEntry> wanted_secrets(const AppView& app, const AppTarget& target, api::ReferenceMode mode) {
  std::vector<AppSecretEntry> out = app.secrets;
  if (mode == api::ReferenceMode::Versionless) return out;
  for (AppSecretEntry& entry : out)
    if (refers_to(entry, target.vault, target.secret)) entry.key_vault_url = with_version(entry.key_vault_url, target.version.value);
  return out;
}

// The smallest body (CA-A9), but with every entry: a merge patch replaces arrays, and a short one loses references.
std::string patch_body(const std::vector<AppSecretEntry>& secrets) {
  json::array array;
  for (const AppSecretEntry& entry : secrets) {
    json::object item{{"name", entry.name}, {"keyVaultUrl", entry.key_vault_url}};
    if (!entry.identity.empty()) item["identity"] = entry.identity;
    array.push_back(std::move(item));
  }
  return json::serialize(json::object{{"properties", json::object{{"configuration", json::object{{"secrets", std::move(array)}}}}}});
}

}  // namespace

AzureContainerApp::AzureContainerApp(std::shared_ptr<ArmClient> arm, std::shared_ptr<HealthProbe> health, Settings settings)
    : arm_(std::move(arm)), health_(std::move(health)), settings_(std::move(settings)) {}

std::string AzureContainerApp::group_path() const {
  return "/subscriptions/" + percent_encode(settings_.subscription) + "/resourceGroups/" + percent_encode(settings_.resource_group) +
         "/providers/Microsoft.App/";
}

std::string AzureContainerApp::path(const std::string& below) const {
  return group_path() + "containerApps/" + percent_encode(settings_.app) + below + "?api-version=" + std::string(api_version);
}

Task<AppView> AzureContainerApp::read(Context context) {
  const Result<ArmReply> reply = co_await arm_->get(std::move(context), path(""));
  if (!reply) co_return reply.error();
  if (!reply->date) co_return no_date();
  co_return read_app(reply->body, *reply->date);
}

Task<std::vector<AppRevision>> AzureContainerApp::active_revisions(Context context) {
  std::vector<AppRevision> out;
  net::Url url{arm_->origin(), path("/revisions")};
  for (int page = 0; page < revision_pages_max; ++page) {
    const Result<ArmReply> reply = co_await arm_->follow(context, url);
    if (!reply) co_return reply.error();
    Result<std::vector<AppRevision>> revisions = read_revisions(reply->body);
    if (!revisions) co_return revisions.error();
    for (AppRevision& revision : *revisions)
      if (revision.active) out.push_back(std::move(revision));
    const std::string next = next_link(reply->body);
    if (next.empty()) co_return out;
    const Result<net::Url> following = net::Url::parse(next);
    if (!following) co_return Error{Errc::Invalid, "the next page of revisions has no usable address"};
    url = *following;
  }
  co_return Error{Errc::Invalid, "the application has more revisions than can be read"};
}

Task<std::vector<AppRevision>> AzureContainerApp::revisions_with_replicas(Context context) {
  Result<std::vector<AppRevision>> revisions = co_await active_revisions(context);
  if (!revisions) co_return revisions;
  if (revisions->size() > active_revisions_max)
    co_return Error{Errc::Invalid, "the application has more active revisions than can be restarted"};
  for (AppRevision& revision : *revisions) {
    const Result<ArmReply> reply = co_await arm_->get(context, path("/revisions/" + percent_encode(revision.name) + "/replicas"));
    if (!reply) co_return reply.error();
    Result<std::vector<AppReplica>> replicas = read_replicas(reply->body);
    if (!replicas) co_return replicas.error();
    revision.replicas = std::move(*replicas);
  }
  co_return revisions;
}

Task<AppSnapshot> AzureContainerApp::snapshot(Context context, std::optional<ConvergenceMark> mark) {
  Result<AppView> app = co_await read(context);
  if (!app) co_return app.error();
  AppSnapshot out;
  out.app = std::move(*app);
  if (mark && mark->stage == Stage::Writing) {
    const Result<OperationStatus> operation = co_await arm_->look(context, *mark->operation);
    if (!operation) co_return operation.error();
    out.operation = operation->state;
  }
  Result<std::vector<AppRevision>> revisions = co_await revisions_with_replicas(std::move(context));
  if (!revisions) co_return revisions.error();
  out.revisions = std::move(*revisions);
  co_return out;
}

Task<AppSnapshot> AzureContainerApp::snapshot_to_act_on(Context context, std::string mark_text, ConvergenceMark mark) {
  const std::optional<Remembered> last = std::exchange(remembered_, std::nullopt);
  if (last && last->mark == mark_text && context.clock().boot_now() - last->at <= snapshot_age_max) co_return last->seen;
  co_return co_await snapshot(std::move(context), std::move(mark));
}

Awaitable<std::optional<Health>> AzureContainerApp::health(Context context) {
  if (health_ == nullptr) co_return std::nullopt;
  const Health seen = co_await health_->look(std::move(context));
  co_return seen;
}

Task<ConsumerFacts> AzureContainerApp::observe(Context context, ConvergeTarget target, std::string mark_text) {
  const Result<AppTarget> wanted = parsed(target);
  if (!wanted) co_return wanted.error();
  const std::optional<ConvergenceMark> mark = mark_for(*wanted, mark_text);
  const Result<AppSnapshot> seen = co_await snapshot(context, mark);
  if (!seen && seen.error().code == Errc::NotFound) co_return no_such_app();
  if (!seen) co_return seen.error();
  ConsumerFacts facts = judge_app(*seen, *wanted, pointer(mark), settings_.rules, std::nullopt);
  remembered_ = Remembered{mark_text, *seen, context.clock().boot_now()};
  if (facts.state != ConsumerState::Proven) co_return facts;
  const std::optional<Health> answer = co_await health(std::move(context));
  co_return judge_app(*seen, *wanted, pointer(mark), settings_.rules, answer);
}

Task<ConsumerFacts> AzureContainerApp::baseline(Context context, std::string vault_url, std::string secret) {
  const Result<AppTarget> wanted = parsed({std::move(vault_url), std::move(secret), {}, api::ReloadMode::Restart});
  if (!wanted) co_return wanted.error();
  const Result<AppSnapshot> seen = co_await snapshot(context, std::nullopt);
  if (!seen && seen.error().code == Errc::NotFound) co_return no_such_app();
  if (!seen) co_return seen.error();
  ConsumerFacts facts = judge_app_health(*seen, settings_.rules, std::nullopt);
  if (facts.state == ConsumerState::Proven) {
    const std::optional<Health> answer = co_await health(context);
    facts = judge_app_health(*seen, settings_.rules, answer);
  }
  facts.refusal = app_refusal(seen->app, *wanted, nullptr, settings_.rules);
  facts.findings = findings_of(seen->app.usage, names_of(seen->app, *wanted), settings_.data_protection);
  const std::optional<Permissions> rights = co_await permissions(std::move(context));
  if (rights && !rights->allow("Microsoft.App/containerApps/write")) facts.findings.push_back(ConsumerFinding::WriteDenied);
  if (rights && !rights->allow("Microsoft.App/containerApps/revisions/restart/action"))
    facts.findings.push_back(ConsumerFinding::RestartDenied);
  co_return facts;
}

// Asking needs no right beyond seeing the app; when the answer cannot be had, the write itself tells.
Awaitable<std::optional<Permissions>> AzureContainerApp::permissions(Context context) {
  const std::string target = group_path() + "containerApps/" + percent_encode(settings_.app) +
                             "/providers/Microsoft.Authorization/permissions?api-version=" + std::string(Permissions::api_version);
  const Result<ArmReply> reply = co_await arm_->get(std::move(context), target);
  if (!reply) co_return std::nullopt;
  co_return Permissions::read(reply->body);
}

Task<std::vector<SecretUser>> AzureContainerApp::list(Context context, SecretUser::Kind kind, std::vector<net::Origin> vaults,
                                                      std::string secret) {
  std::vector<SecretUser> out;
  const std::string type = kind == SecretUser::Kind::Job ? "jobs" : "containerApps";
  net::Url url{arm_->origin(), group_path() + type + "?api-version=" + std::string(api_version)};
  for (int page = 0; page < list_pages_max; ++page) {
    const Result<ArmReply> reply = co_await arm_->follow(context, url);
    if (!reply) co_return reply.error();
    const Result<std::vector<SecretUser>> users = read_users(reply->body, kind, settings_.resource_group, vaults, secret);
    if (!users) co_return users.error();
    out.insert(out.end(), users->begin(), users->end());
    const std::string next = next_link(reply->body);
    if (next.empty()) co_return out;
    const Result<net::Url> following = net::Url::parse(next);
    if (!following) co_return Error{Errc::Invalid, "the next page of applications has no usable address"};
    url = *following;
  }
  co_return Error{Errc::Invalid, "the resource group has more applications than can be read"};
}

Awaitable<SecretUsers> AzureContainerApp::users_of(Context context, std::vector<std::string> vault_urls, std::string secret) {
  std::vector<net::Origin> vaults;
  for (const std::string& text : vault_urls) {
    if (const Result<net::Url> url = net::Url::parse(text)) vaults.push_back(url->origin);
  }
  SecretUsers out;
  for (const SecretUser::Kind kind : {SecretUser::Kind::Application, SecretUser::Kind::Job}) {
    const Result<std::vector<SecretUser>> found = co_await list(context, kind, vaults, secret);
    if (!found) {
      out.not_read.emplace_back(kind == SecretUser::Kind::Job ? "jobs" : "container apps");
      continue;
    }
    out.users.insert(out.users.end(), found->begin(), found->end());
  }
  co_return out;
}

Task<std::string> AzureContainerApp::converge(Context context, ConvergeTarget target, std::string mark_text) {
  const Result<AppTarget> wanted = parsed(target);
  if (!wanted) co_return wanted.error();
  const std::optional<ConvergenceMark> mark = mark_for(*wanted, mark_text);
  AppSnapshot seen;
  if (mark && mark->stage == Stage::Synced) {
    Result<AppSnapshot> looked = co_await snapshot_to_act_on(context, mark_text, *mark);
    if (!looked) co_return looked.error();
    seen = std::move(*looked);
  } else {
    // The other acts need no look at replicas.
    Result<AppView> app = co_await read(context);
    if (!app) co_return app.error();
    seen.app = std::move(*app);
  }
  if (mark && mark->stage == Stage::Writing) co_return co_await follow(std::move(context), std::move(seen.app), *wanted, *mark);
  const AppAct act = next_app_act(seen, *wanted, pointer(mark), settings_.rules);
  if (act.kind == AppActKind::None) co_return mark_text;
  const bool trying_again = mark && mark->stage == Stage::Refused;
  const std::string_view refusal = app_refusal(seen.app, *wanted, trying_again ? nullptr : pointer(mark), settings_.rules);
  if (!refusal.empty()) co_return Error{Errc::Invalid, "the application cannot be converged: " + std::string(refusal)};
  if (act.kind == AppActKind::Restart) co_return co_await restart(std::move(context), *mark, act.revision);
  if (act.kind == AppActKind::BeginWaiting) {
    co_return format_mark(mark_of(*wanted, seen.app, seen.app.secrets, Stage::Waiting));
  }
  if (!mark || mark->stage != Stage::Synced) co_return co_await write(std::move(context), std::move(seen.app), *wanted);
  // What is written back must be what is there now.
  Result<AppView> app = co_await read(context);
  if (!app) co_return app.error();
  co_return co_await write(std::move(context), std::move(*app), *wanted);
}

Task<std::string> AzureContainerApp::write(Context context, AppView app, AppTarget target) {
  const std::vector<AppSecretEntry> secrets = wanted_secrets(app, target, settings_.rules.reference);
  ConvergenceMark mark = mark_of(target, app, secrets, Stage::Writing);
  const Result<ArmReply> reply = co_await arm_->send(std::move(context), "PATCH", path(""), patch_body(secrets), Effect::Write);
  if (!reply) co_return reply.error();
  mark.at = reply->date.value_or(app.date);
  if (reply->error.has_code("InvalidParameterValueInContainerTemplate")) {
    // The reference cannot be read; why is for the vault to say (CA-A2). The mark makes the next observation tell, and lets a later
    // attempt find out whether it was cured.
    mark.stage = Stage::Refused;
    co_return format_mark(mark);
  }
  if (!reply->success()) co_return arm_error(*reply, Effect::Write);
  const Result<std::optional<ArmOperation>> operation = arm_->operation_of(*reply, path(""));
  if (!operation) co_return operation.error();
  mark.operation = *operation;
  if (!mark.operation) {
    if (!reply->date) co_return no_date();
    mark.stage = Stage::Synced;
  }
  co_return format_mark(mark);
}

Task<std::string> AzureContainerApp::follow(Context context, AppView app, AppTarget target, ConvergenceMark mark) {
  const Result<OperationStatus> status = co_await arm_->look(context, *mark.operation);
  if (!status) co_return status.error();
  AppSnapshot seen;
  seen.app = app;
  seen.operation = status->state;
  if (next_app_act(seen, target, &mark, settings_.rules).kind == AppActKind::None) co_return format_mark(mark);
  if (status->state == OperationState::Succeeded) {
    if (!status->date) co_return no_date();
    mark.stage = Stage::Synced;
    mark.at = *status->date;
    mark.operation.reset();
    co_return format_mark(mark);
  }
  // Failed, forgotten or overdue. What the resource says decides whether writing again can help.
  const std::string_view refusal = app_refusal(app, target, &mark, settings_.rules);
  if (!refusal.empty()) co_return Error{Errc::Invalid, "the application cannot be converged: " + std::string(refusal)};
  co_return co_await write(std::move(context), std::move(app), std::move(target));
}

Task<std::string> AzureContainerApp::restart(Context context, ConvergenceMark mark, std::string revision) {
  const std::string target = path("/revisions/" + percent_encode(revision) + "/restart");
  const Result<ArmReply> reply = co_await arm_->send(std::move(context), "POST", target, {}, Effect::Write);
  if (!reply) co_return reply.error();
  if (!reply->success()) co_return arm_error(*reply, Effect::Write);
  if (!reply->date) co_return no_date();
  mark.restarted = reply->date;
  if (std::find(mark.revisions.begin(), mark.revisions.end(), revision) == mark.revisions.end())
    mark.revisions.push_back(std::move(revision));
  co_return format_mark(mark);
}

}  // namespace keyturn
