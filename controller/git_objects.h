// What the Git source finds, applied through the API's own pipeline as field manager "keyturn-git".
#pragma once

#include "controller/embedded/git/git_source.h"
#include "controller/embedded/object_writer.h"

namespace keyturn {

class GitObjects final : public git::ObjectSink {
 public:
  explicit GitObjects(embedded::ObjectWriter& writer) : writer_(writer) {}
  // Refuses what Git must not write: status, and RotationRuns, which are the controller's journal.
  Task<> apply(Context context, boost::json::object object) override;
  Task<> remove(Context context, std::string kind, ObjectKey key) override;

 private:
  embedded::ObjectWriter& writer_;
};

}  // namespace keyturn
