// Objects of the API with every field set at random: it goes through the codec's own description of the fields, so that a field that is
// added there is filled here.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "api/codec_rotation_environment.h"
#include "api/codec_rotation_run.h"

namespace keyturn::api::codec {

class Filler {
 public:
  static constexpr bool reading = true;
  explicit Filler(std::mt19937_64& random) : random_(&random) {}

  template <class T>
  void field(std::string_view name, T& out) {
    name_ = name;
    fill(out);
  }
  template <class T>
  void required(std::string_view name, T& out) {
    field(name, out);
  }
  template <class T>
  void sparse(std::string_view name, T& out, const T& /*default_value*/) {
    field(name, out);
  }
  template <class Describe>
  void group(std::string_view, Describe describe_group) {
    describe_group(*this);
  }
  void derived(std::string_view, const std::string&) {}

 private:
  std::int64_t number(std::int64_t least, std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(least, most)(*random_); }

  void fill(std::string& out) {
    static const std::vector<std::string> types = {"PostgreSql", "RedisAcl", "SqlServer", "Driver"};
    static const std::vector<std::string> texts = {"",        "a",          "2026-q4",   "ConnectionStrings--DefaultConnection",
                                                   "User Id", "\"quoted\"", "a\\b\n\t",  "\xc3\xa4\xe2\x82\xac",
                                                   "true",    "20",         "erp_user_a"};
    const auto& from = name_ == "type" ? types : texts;
    out = from[static_cast<std::size_t>(number(0, static_cast<std::int64_t>(from.size()) - 1))];
  }
  void fill(bool& out) { out = number(0, 1) == 1; }
  void fill(int& out) { out = static_cast<int>(number(-2147483648LL, 2147483647LL) >> number(0, 31)); }
  void fill(std::int64_t& out) { out = number(-9007199254740993LL, 9223372036854775807LL) >> number(0, 62); }
  void fill(Instant& out) { out = Instant(Duration(number(0, 4'102'444'800'000LL) / (number(0, 1) == 1 ? 1 : 1000))); }
  void fill(Duration& out) { out = Duration(number(0, 100'000'000'000LL) >> number(0, 36)); }
  void fill(std::map<std::string, std::string>& out) {
    out.clear();
    for (std::int64_t count = number(0, 3); count > 0; --count) {
      std::string key;
      fill(key);
      fill(out[key]);
    }
  }
  // A name without a revision is no name, whatever its serial.
  void fill(CredentialName& out) {
    describe(*this, out);
    out.serial = out.empty() ? 0 : out.serial;
  }
  template <class Tag>
  void fill(Id<Tag>& out) {
    fill(out.value);
  }
  template <Worded E>
  void fill(E& out) {
    out = static_cast<E>(number(0, static_cast<std::int64_t>(Words<E>::all.size()) - 1));
  }
  template <class T>
  void fill(std::optional<T>& out) {
    out.reset();
    if (number(0, 2) > 0) {
      fill(out.emplace());
    }
  }
  template <class T>
  void fill(std::vector<T>& out) {
    out.clear();
    for (std::int64_t count = number(0, 3); count > 0; --count) {
      fill(out.emplace_back());
    }
  }
  template <class T>
    requires std::is_class_v<T>
  void fill(T& out) {
    describe(*this, out);
  }

  std::mt19937_64* random_;
  std::string_view name_;
};

template <class T>
T filled(std::mt19937_64& random) {
  T object;
  Filler filler(random);
  filler.field("metadata", object.meta);
  filler.field("spec", object.spec);
  filler.field("status", object.status);
  return object;
}

}  // namespace keyturn::api::codec
