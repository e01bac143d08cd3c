#include "tests/model/catalogue.h"
#include "tests/model/credential_script.h"
#include "tests/model/shared_script.h"
#include "tests/model/slots_script.h"

namespace keyturn::model {
namespace {

using enum ScriptStep;

std::vector<Case> credential_scripts() {
  return {
      scripted("A1", "runbook order: vault, restarts, then the login (no fault at all)",
               CredentialScript{.steps = {Generate, Publish, Restart0, Restart1, Set}, .consumers = 2}, false),
      scripted("A2", "dependent first, the new value only in memory (1 crash)",
               CredentialScript{.steps = {Generate, Set, Publish, Restart0}, .crashes = 1}, false, {"I1", "I2", "I5"}),
      scripted("A3", "the same with a login that may only change its own password",
               CredentialScript{.steps = {Generate, SetAsItself, Publish, Restart0}, .crashes = 1}, false, {"I2"}),
      scripted("A4", "staged as the disabled newest version of the same secret",
               CredentialScript{.steps = {Generate, PublishDisabled, Set, Enable, Restart0}}, false, {"I1", "I2"}),
      scripted("A5", "staged as an enabled version that is not valid yet", CredentialScript{.steps = {Generate, Publish, Set, Restart0}},
               false, {"I3", "I4", "I5"}),
      scripted("A6", "sibling staging, two workers, nobody pins the choice",
               CredentialScript{.steps = {Generate, Stage, Set, Publish, Restart0}, .workers = 2}, false, {"I1", "I2"}),
      scripted("A7", "sibling staging, two workers that go on with the newest staged, no pin",
               CredentialScript{.steps = {Generate, Stage, Set, Publish, Restart0}, .workers = 2, .adopts = true}, false, {"I1", "I2"}),
      scripted("B8", "runbook rollback: disable the newest version",
               CredentialScript{.steps = {Generate, Stage, Set, Publish, Restart0, Disable, Restart0}}, false, {"I1", "I2"}),
  };
}

std::vector<Case> slots_scripts() {
  return {
      scripted("C1", "slots: regenerate the key in use, publish the answer, restart", SlotsScript{}, false),
      scripted("C2", "slots: the alternate key by tag, the event delivered twice to one worker", SlotsScript{.alternates = true, .runs = 2},
               false),
      scripted("C3", "slots: the alternate key by tag, two workers", SlotsScript{.alternates = true, .workers = 2}, false),
  };
}

std::vector<Case> shared_scripts() {
  return {
      scripted("D1", "shared key: one field, replaced everywhere, then restarts",
               SharedScript{.phases = {{{0, 1}}}, .services = 2, .crashes = 0, .lost_replies = 0}, false),
      scripted("D2", "shared key: two fields written separately, the current one first",
               SharedScript{.phases = {{{1, 1}}, {{0, 1}, {1, 0}}, {{1, no_key}}}, .services = 2}, false),
      scripted("D3", "shared key: two fields written separately, the previous one first",
               SharedScript{.phases = {{{1, 1}}, {{1, 0}, {0, 1}}, {{1, no_key}}}, .services = 2}, false),
      scripted("D4", "shared key: three fields, a barrier per phase",
               SharedScript{.phases = {{{1, 1}}, {{2, 0}, {0, 1}}, {{1, no_key}, {2, no_key}}}}, true),
  };
}

}  // namespace

std::vector<Case> scripted_cases() {
  std::vector<Case> all;
  for (auto part : {credential_scripts, slots_scripts, shared_scripts}) {
    for (Case& one : part()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace keyturn::model
