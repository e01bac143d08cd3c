// keyturn-controller.
#include <cstdio>
#include <variant>

#include "base/log.h"
#include "base/secret.h"
#include "controller/app.h"
#include "controller/config.h"

namespace {

bool lock_memory(const keyturn::Config& config) {
  const auto locking = config.allow_unlocked_memory ? keyturn::SecretArena::Locking::BestEffort : keyturn::SecretArena::Locking::Required;
  const auto locked = keyturn::SecretArena::lock(keyturn::SecretArena::bytes_default, locking);
  if (!locked) {
    std::fprintf(stderr,
                 "keyturn-controller: memory for secrets cannot be locked: raise the limit (ulimit -l) or pass --allow-unlocked-memory\n");
  }
  return bool(locked);
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = keyturn::parse_config(argc, argv);
  if (const auto* leave = std::get_if<keyturn::ExitNow>(&parsed)) {
    std::fputs(leave->text.c_str(), leave->code == 0 ? stdout : stderr);
    return leave->code;
  }
  const auto& config = std::get<keyturn::Config>(parsed);
  keyturn::log::configure(config.log_level, config.log_format);
  if (!lock_memory(config)) return 1;
  keyturn::App app(config);
  if (const auto started = app.start(); !started) {
    std::fprintf(stderr, "keyturn-controller: %s\n", started.error().message.c_str());
    return 1;
  }
  return app.run();
}
