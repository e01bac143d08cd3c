#include "cli/printer.h"
#include "cli/verbs.h"

namespace keyturn {
namespace {

Task<> one(Session session) {
  const auto rotation = co_await session.api.get<v1alpha1::Rotation>(session.context(), rotation_path(session.key(), ""));
  if (!rotation) co_return session.about(rotation.error());
  if (session.arguments.output == Output::Json)
    print_json(session.out, *rotation);
  else
    print_rotation(session.out, *rotation, session.clock.now());
  co_return ok();
}

Task<> all(Session session) {
  const auto list = co_await session.api.get<v1alpha1::ListRotationsResponse>(session.context(), rotations_path(session.scope(), ""));
  if (!list) co_return list.error();
  if (session.arguments.output == Output::Json) {
    print_json(session.out, *list);
    co_return ok();
  }
  const Columns columns{.ns = session.arguments.all_namespaces, .wide = session.arguments.output == Output::Wide};
  Table table = rotation_table(columns);
  for (const v1alpha1::Rotation& rotation : list->rotations()) table.add(rotation_cells(rotation, columns, session.clock.now()));
  if (!table.empty())
    table.print(session.out);
  else if (session.scope().empty())
    session.out << "There are no rotations that you may read.\n";
  else
    session.out << "There are no rotations in namespace " << session.scope() << ".\n";
  co_return ok();
}

}  // namespace

Task<> status(Session session) { return session.arguments.name.empty() ? all(session) : one(session); }

}  // namespace keyturn
