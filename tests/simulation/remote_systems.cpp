#include "tests/simulation/remote_systems.h"

namespace keyturn::simulation {
namespace {

std::string text_of(const Secret& secret) {
  return secret.expose([](std::string_view bytes) { return std::string(bytes); });
}

class RemoteVault final : public SecretVault {
 public:
  RemoteVault(Link& link, Ground& ground, Trace& trace, std::string name)
      : link_(link), ground_(ground), trace_(trace), name_(std::move(name)) {}

  Task<Latest> read_latest(Context context, std::string secret) override {
    std::function<Result<Latest>()> serve = [&ground = ground_, name = name_, secret] { return ground.read_latest(name, secret); };
    co_return co_await link_.call<Latest>(std::move(context), {name_, name_ + ": read latest"}, std::move(serve));
  }
  Task<Secret> read(Context context, std::string secret, VersionId version) override {
    std::function<Result<Secret>()> serve = [&ground = ground_, name = name_, secret, version] {
      return ground.read(name, secret, version);
    };
    co_return co_await link_.call<Secret>(std::move(context), {name_, name_ + ": read " + version.value}, std::move(serve));
  }
  Task<std::vector<VaultVersion>> versions(Context context, std::string secret) override {
    std::function<Result<std::vector<VaultVersion>>()> serve = [&ground = ground_, name = name_, secret] {
      return ground.versions(name, secret);
    };
    co_return co_await link_.call<std::vector<VaultVersion>>(std::move(context), {name_, name_ + ": list"}, std::move(serve));
  }
  Task<VaultVersion> append(Context context, std::string secret, const Secret& value, VersionTags tags) override {
    const std::string bytes = text_of(value);
    const bool staged = secret.starts_with(staging_prefix);
    const std::string what = name_ + ": " + (staged ? "stage " : "publish ") + trace_.name_of_value(bytes) + " of run " + tags.run;
    std::function<Result<VaultVersion>()> serve = [&world = link_.world(), &ground = ground_, name = name_, secret, bytes, tags, what] {
      world.note("ground", what);
      return ground.append(name, secret, bytes, tags);
    };
    co_return co_await link_.call<VaultVersion>(std::move(context), {name_, what, Access::Write}, std::move(serve));
  }
  Task<> tag(Context context, std::string secret, VersionId version, VersionTags tags) override {
    std::function<Result<>()> serve = [&ground = ground_, name = name_, secret, version, tags] {
      return ground.tag(name, secret, version, tags);
    };
    co_return co_await link_.call<void>(std::move(context), {name_, name_ + ": tag " + version.value, Access::Write}, std::move(serve));
  }
  Task<> set_enabled(Context context, std::string secret, VersionId version, bool enabled) override {
    const std::string what = name_ + (enabled ? ": enable " : ": disable ") + version.value;
    std::function<Result<>()> serve = [&world = link_.world(), &ground = ground_, name = name_, secret, version, enabled, what] {
      world.note("ground", what);
      return ground.set_enabled(name, secret, version, enabled);
    };
    co_return co_await link_.call<void>(std::move(context), {name_, what, Access::Write}, std::move(serve));
  }

 private:
  Link& link_;
  Ground& ground_;
  Trace& trace_;
  std::string name_;
};

class RemoteSystem final : public Dependent {
 public:
  RemoteSystem(Link& link, Ground& ground, Trace& trace, std::string name)
      : link_(link), ground_(ground), trace_(trace), name_(std::move(name)) {}

  DependentCapabilities capabilities() const override {
    const api::Protocol protocol = ground_.systems.at(name_).protocol();
    const Addressing addressing = protocol == api::Protocol::Slots   ? Addressing::Slot
                                  : protocol == api::Protocol::Shift ? Addressing::Shift
                                                                     : Addressing::Value;
    const bool holds_two = protocol == api::Protocol::Dual || is_minted(protocol);
    return {.live_values_per_principal = holds_two ? 2 : 1, .tells_sessions = true, .addressing = addressing};
  }
  Task<ProbeResult> probe(Context context, std::string principal, const Secret& password) override {
    std::function<Result<ProbeResult>()> serve = [&ground = ground_, name = name_, login = Login{principal, text_of(password)}] {
      return Result<ProbeResult>(ground.probe(name, login));
    };
    auto told = co_await link_.call<ProbeResult>(std::move(context), {name_, name_ + ": probe"}, std::move(serve));
    // What cannot be told is Unknown, never an error that somebody could take for a refusal.
    co_return told ? *told : ProbeResult::Unknown;
  }
  Task<> install(Context context, std::string principal, const Secret& password) override {
    const Login login{principal, text_of(password)};
    co_return co_await effect(std::move(context), "install " + trace_.name_of_value(render(login)),
                              [login](Ground& ground, const std::string& name) { ground.install(name, login); });
  }
  Task<> withdraw(Context context, std::string principal, const Secret& password) override {
    const Login login{principal, text_of(password)};
    co_return co_await effect(std::move(context), "withdraw " + trace_.name_of_value(render(login)),
                              [login](Ground& ground, const std::string& name) { ground.withdraw(name, login); });
  }
  Task<std::vector<Secret>> held(Context context, std::string) override {
    std::function<Result<std::vector<Secret>>()> serve = [&ground = ground_, name = name_] {
      std::vector<Secret> values;
      for (const std::string& value : ground.held(name)) values.push_back(Secret::copy_of(value));
      return Result<std::vector<Secret>>(std::move(values));
    };
    co_return co_await link_.call<std::vector<Secret>>(std::move(context), {name_, name_ + ": read back"}, std::move(serve));
  }
  Task<> mint(Context context, std::string, int slot) override {
    co_return co_await effect(std::move(context), "make a value in slot " + std::to_string(slot),
                              [slot](Ground& ground, const std::string& name) { ground.mint(name, slot); });
  }
  Task<Sessions> sessions(Context context, std::string principal, std::optional<Instant>) override {
    std::function<Result<Sessions>()> serve = [&ground = ground_, name = name_, principal] {
      return Result<Sessions>(ground.sessions(name, principal));
    };
    co_return co_await link_.call<Sessions>(std::move(context), {name_, name_ + ": sessions"}, std::move(serve));
  }

 private:
  // Noted when it arrives, which may be long after the caller has given up.
  Task<> effect(Context context, std::string does, std::function<void(Ground&, const std::string&)> apply) {
    const std::string what = name_ + ": " + does;
    std::function<Result<>()> serve = [&world = link_.world(), &ground = ground_, name = name_, apply = std::move(apply), what] {
      world.note("ground", what);
      apply(ground, name);
      return ok();
    };
    co_return co_await link_.call<void>(std::move(context), {name_, what, Access::Write}, std::move(serve));
  }

  Link& link_;
  Ground& ground_;
  Trace& trace_;
  std::string name_;
};

class RemoteApplication final : public Consumer {
 public:
  RemoteApplication(Link& link, Ground& ground, std::string name) : link_(link), ground_(ground), name_(std::move(name)) {}

  Task<ConsumerFacts> observe(Context context, ConvergeTarget target, std::string) override {
    std::function<Result<ConsumerFacts>()> serve = [&ground = ground_, name = name_, version = target.version] {
      return Result<ConsumerFacts>(ground.observe(name, version));
    };
    co_return co_await link_.call<ConsumerFacts>(std::move(context), {name_, name_ + ": observe"}, std::move(serve));
  }
  Task<std::string> converge(Context context, ConvergeTarget target, std::string) override {
    const std::string what = name_ + ": converge to " + target.version.value;
    std::function<Result<std::string>()> serve = [&world = link_.world(), &ground = ground_, name = name_, version = target.version, what] {
      world.note("ground", what);
      return Result<std::string>(ground.converge(name, version));
    };
    co_return co_await link_.call<std::string>(std::move(context), {name_, what, Access::Write}, std::move(serve));
  }
  Task<ConsumerFacts> baseline(Context context, std::string, std::string) override {
    std::function<Result<ConsumerFacts>()> serve = [&ground = ground_, name = name_] {
      return Result<ConsumerFacts>(ground.baseline(name));
    };
    co_return co_await link_.call<ConsumerFacts>(std::move(context), {name_, name_ + ": baseline"}, std::move(serve));
  }

 private:
  Link& link_;
  Ground& ground_;
  std::string name_;
};

Error no_adapter() { return {Errc::NotFound, "no adapter for this entry"}; }

}  // namespace

Result<std::shared_ptr<SecretVault>> RemoteCatalog::vault(const api::RotationEnvironment&, const std::string& name) {
  if (!ground_.vaults.contains(name)) return no_adapter();
  return std::shared_ptr<SecretVault>(std::make_shared<RemoteVault>(link_, ground_, trace_, name));
}
Result<std::string> RemoteCatalog::vault_url(const api::RotationEnvironment&, const std::string& name) {
  return "https://" + name + ".vault.example";
}
Result<std::shared_ptr<Dependent>> RemoteCatalog::dependent(const api::RotationEnvironment&, const std::string& name) {
  if (!ground_.systems.contains(name)) return no_adapter();
  return std::shared_ptr<Dependent>(std::make_shared<RemoteSystem>(link_, ground_, trace_, name));
}
Result<std::shared_ptr<Consumer>> RemoteCatalog::consumer(const api::RotationEnvironment&, const std::string& name) {
  if (!ground_.applications.contains(name)) return no_adapter();
  return std::shared_ptr<Consumer>(std::make_shared<RemoteApplication>(link_, ground_, name));
}

}  // namespace keyturn::simulation
