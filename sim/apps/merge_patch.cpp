#include "sim/apps/merge_patch.h"

#include <boost/json/object.hpp>

namespace keyturn::sim {

void apply_merge_patch(boost::json::value& target, const boost::json::value& patch) {
  if (!patch.is_object()) {
    target = boost::json::value(patch, target.storage());
    return;
  }
  if (!target.is_object()) target.emplace_object();
  boost::json::object& object = target.get_object();
  for (const auto& [name, value] : patch.get_object()) {
    if (value.is_null()) {
      object.erase(name);
    } else {
      apply_merge_patch(object[name], value);
    }
  }
}

}  // namespace keyturn::sim
