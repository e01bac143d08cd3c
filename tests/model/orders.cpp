#include "tests/model/orders.h"

#include <algorithm>

#include "tests/model/check.h"
#include "tests/model/credential_script.h"

namespace keyturn::model {
namespace {

// `steps` in ascending order, as next_permutation wants them.
OrderCount count(std::vector<ScriptStep> steps) {
  OrderCount found;
  do {
    CredentialScript script{.steps = {ScriptStep::Generate, ScriptStep::Stage}, .consumers = 2};
    script.steps.insert(script.steps.end(), steps.begin(), steps.end());
    const Verdict verdict = check(script, {"I1", "I2", "I3", "I4", "I5"});
    const auto has = [&](const char* what) {
      return std::find(verdict.violated.begin(), verdict.violated.end(), what) != verdict.violated.end();
    };
    ++found.orders;
    found.safe += verdict.passes();
    found.converging += !has("I5") && !has("STUCK");
  } while (std::next_permutation(steps.begin(), steps.end()));
  return found;
}

}  // namespace

OrderCount orders_of_one_live_credential() {
  return count({ScriptStep::Publish, ScriptStep::Set, ScriptStep::Restart0, ScriptStep::Restart1});
}
OrderCount orders_of_two_live_credentials() {
  return count({ScriptStep::Publish, ScriptStep::Add, ScriptStep::RemoveOld, ScriptStep::Restart0, ScriptStep::Restart1});
}

}  // namespace keyturn::model
