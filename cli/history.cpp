#include "cli/printer.h"
#include "cli/verbs.h"

namespace keyturn {

Task<> history(Session session) {
  std::string path = rotation_path(session.key(), "/history");
  if (session.arguments.limit > 0) path += "?limit=" + std::to_string(session.arguments.limit);
  const auto history = co_await session.api.get<v1alpha1::GetHistoryResponse>(session.context(), path);
  if (!history) co_return session.about(history.error());
  if (session.arguments.output == Output::Json)
    print_json(session.out, *history);
  else
    print_history(session.out, session.key().to_string(), *history);
  co_return ok();
}

}  // namespace keyturn
