#include <map>
#include <memory>

#include "cli/printer.h"
#include "cli/verbs.h"

namespace keyturn {
namespace {

// Prints events as they come, and remembers what was printed, so that a watch that starts over says only what is new.
class Events {
 public:
  explicit Events(const Session& session)
      : out_(session.out),
        clock_(session.clock),
        output_(session.arguments.output),
        columns_{.ns = session.arguments.all_namespaces, .wide = output_ == Output::Wide, .event = true},
        table_(rotation_table(columns_)) {
    // Rows come one by one: room for the usual words, so that columns do not move with the second row.
    constexpr std::size_t widths[] = {20, 7, 18, 12, 14, 9, 9};
    const std::size_t first = columns_.ns ? 2 : 1;
    table_.widen(0, std::string_view("MODIFIED").size());
    for (std::size_t i = 0; i < std::size(widths); ++i) table_.widen(first + i, widths[i]);
  }

  // False when nobody reads the output any more.
  bool show(std::string_view line) {
    v1alpha1::RotationEvent event;
    if (!from_json(line, event) || event.type() == v1alpha1::RotationEvent::TYPE_UNSPECIFIED) return true;
    const v1alpha1::Rotation& rotation = event.rotation();
    std::string& printed = printed_[{rotation.namespace_(), rotation.name()}];
    const bool seen = event.type() == v1alpha1::RotationEvent::ADDED && printed == rotation.resource_version();
    printed = rotation.resource_version();
    if (event.type() == v1alpha1::RotationEvent::DELETED) printed_.erase({rotation.namespace_(), rotation.name()});
    if (!seen) print(event);
    return out_.good();
  }

 private:
  void print(const v1alpha1::RotationEvent& event) {
    if (output_ == Output::Json)
      print_json(out_, event, JsonForm::Line);
    else
      table_.stream(out_, rotation_cells(event.rotation(), columns_, clock_.now(), v1alpha1::RotationEvent::Type_Name(event.type())));
    out_.flush();
  }

  std::ostream& out_;
  Clock& clock_;
  Output output_;
  Columns columns_;
  Table table_;
  std::map<ObjectKey, std::string> printed_;  // resource version by rotation
};

}  // namespace

Task<> watch(Session session) {
  constexpr Duration pause{1'000};
  const auto events = std::make_shared<Events>(session);
  const std::string path = rotations_path(session.scope(), ":watch");
  while (true) {
    const auto begun = std::make_shared<bool>(false);
    const auto on_line = [events, begun](std::string_view line) {
      *begun = true;
      return events->show(line);
    };
    const Result<> ended = co_await session.api.watch(Context(session.clock, "keyturn watch"), path, on_line);
    if (!session.out.good()) co_return ok();
    // A stream that was cut is begun again; a server that does not answer at all, or refuses, is an error.
    const bool cut = !ended && *begun && (ended.error().code == Errc::OutcomeUnknown || ended.error().code == Errc::Unavailable);
    if (!ended && !cut) co_return ended.error();
    co_await session.clock.sleep_for(pause);
  }
}

}  // namespace keyturn
