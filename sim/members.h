// Reading a JSON object strictly: every member by type, and no member that nobody asked for.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "sim/access.h"
#include "sim/refusal.h"

namespace keyturn::sim {

// Remembers the first problem; `done` tells it. Messages name the place ("apps[0].lro"), never a value.
class Members {
 public:
  // Anything that is not an object is a problem, too.
  Members(const boost::json::value& value, std::string where);

  std::string text(std::string_view name, std::string_view otherwise = "");
  std::string required_text(std::string_view name);
  std::int64_t number(std::string_view name, std::int64_t otherwise, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> optional_number(std::string_view name, std::int64_t min, std::int64_t max);
  bool flag(std::string_view name, bool otherwise);
  Secret secret(std::string_view name);
  Actions actions(std::string_view name, const Actions& otherwise, const Actions& known);
  // The index of the member's text in `choices`; 0 when it is absent.
  std::size_t choice(std::string_view name, std::initializer_list<std::string_view> choices);
  const boost::json::value* any(std::string_view name);
  const boost::json::array* list(std::string_view name);
  bool has(std::string_view name) const { return object_ && object_->contains(name); }

  void problem(std::string_view name, std::string_view what);
  // Refusal: 400 with the first problem, unknown members included.
  Answer<> done();
  const std::string& where() const noexcept { return where_; }

 private:
  const boost::json::object* object_ = nullptr;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
  std::string problem_;
};

}  // namespace keyturn::sim
