// How the messages of the API look on a terminal. One function per thing that is shown; all of them pure, with the time given.
#pragma once

#include <ostream>
#include <string>

#include "base/time.h"
#include "cli/table.h"
#include "keyturn/v1alpha1/rotation.pb.h"

namespace keyturn {

// Which columns a table of rotations has.
struct Columns {
  bool ns = false;
  bool wide = false;
  bool event = false;  // ADDED, MODIFIED, DELETED: for a watch
};
Table rotation_table(Columns columns);
Table::Cells rotation_cells(const v1alpha1::Rotation& rotation, Columns columns, Instant now, const std::string& event = "");

void print_rotation(std::ostream& out, const v1alpha1::Rotation& rotation, Instant now);
void print_plan(std::ostream& out, const std::string& rotation, const v1alpha1::RotationPlan& plan);
void print_history(std::ostream& out, const std::string& rotation, const v1alpha1::GetHistoryResponse& history);
void print_verification(std::ostream& out, const v1alpha1::Verification& verification);
// Protobuf's JSON mapping, indented; on one line for a stream.
enum class JsonForm : std::uint8_t { Indented, Line };
void print_json(std::ostream& out, const google::protobuf::Message& message, JsonForm form = JsonForm::Indented);

}  // namespace keyturn
