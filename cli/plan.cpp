#include "base/hash.h"
#include "cli/printer.h"
#include "cli/verbs.h"

namespace keyturn {

Task<> plan(Session session) {
  const std::string& revision = session.arguments.revision;
  const std::string path = rotation_path(session.key(), "/plan") + (revision.empty() ? "" : "?revision=" + percent_encode(revision));
  const auto plan = co_await session.api.get<v1alpha1::RotationPlan>(session.context(), path);
  if (!plan) co_return session.about(plan.error());
  if (session.arguments.output == Output::Json)
    print_json(session.out, *plan);
  else
    print_plan(session.out, session.key().to_string(), *plan);
  co_return ok();
}

}  // namespace keyturn
