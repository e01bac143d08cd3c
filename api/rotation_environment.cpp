#include "api/rotation_environment.h"

#include <algorithm>

namespace keyturn::api {

// A bound of 5 % on how fast or slow a clock may run, rounded up to whole milliseconds.
Duration Timing::quarantine() const {
  const auto lease_with_clock_rate = Duration((lease.count() * 105 + 99) / 100);
  return lease_with_clock_rate + issue + request + server_residual;
}

// Greedy with one point to come back to: linear in practice and never worse than pattern times text, whatever a tenant writes.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t at_pattern = 0;
  std::size_t at_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (at_text < text.size()) {
    if (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
      star = at_pattern++;
      star_text = at_text;
    } else if (at_pattern < pattern.size() && pattern[at_pattern] == text[at_text]) {
      ++at_pattern;
      ++at_text;
    } else if (star != std::string_view::npos) {
      at_pattern = star + 1;
      at_text = ++star_text;
    } else {
      return false;
    }
  }
  while (at_pattern < pattern.size() && pattern[at_pattern] == '*') {
    ++at_pattern;
  }
  return at_pattern == pattern.size();
}

namespace {

bool any_matches(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [text](const std::string& pattern) { return matches_pattern(pattern, text); });
}

template <class Entry>
bool declared(const std::vector<Entry>& entries, std::string_view name) {
  return std::ranges::find(entries, name, &Entry::name) != entries.end();
}

}  // namespace

bool allows(const RotationEnvironmentSpec& environment, std::string_view ns, std::string_view vault, std::string_view secret,
            const std::vector<std::string>& systems, const std::vector<std::string>& consumers) {
  const auto entry = std::ranges::find(environment.vaults, vault, &VaultEntry::name);
  if (entry == environment.vaults.end() || !any_matches(entry->secrets, secret)) {
    return false;
  }
  const auto exists_system = [&](const std::string& name) { return declared(environment.systems, name); };
  const auto exists_consumer = [&](const std::string& name) { return declared(environment.consumers, name); };
  if (!std::ranges::all_of(systems, exists_system) || !std::ranges::all_of(consumers, exists_consumer)) {
    return false;
  }
  return std::ranges::any_of(environment.bindings, [&](const Binding& binding) {
    return any_matches(binding.namespaces, ns) && any_matches(binding.secrets, secret) &&
           std::ranges::all_of(systems, [&](const std::string& name) { return any_matches(binding.systems, name); }) &&
           std::ranges::all_of(consumers, [&](const std::string& name) { return any_matches(binding.consumers, name); });
  });
}

}  // namespace keyturn::api
