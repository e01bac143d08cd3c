#include "reconcilers/rotation/key_set.h"

#include <algorithm>
#include <string>

#include "reconcilers/rotation/credential_format.h"

namespace keyturn {
namespace {

api::SecretFormat json_at(std::string pointer) { return {api::FormatType::Json, std::move(pointer), {}}; }
std::string accepted_at(std::size_t index) { return "/accept/" + std::to_string(index); }

bool contains(const std::vector<Secret>& keys, const Secret& key) {
  return std::any_of(keys.begin(), keys.end(), [&](const Secret& one) { return one.equals(key); });
}

void accept_all(KeySet& keys, const std::vector<Secret>& more) {
  for (const Secret& key : more) {
    if (!contains(keys.accept, key)) keys.accept.push_back(key.clone());
  }
}

// The document with placeholders for `count` accepted keys.
Secret skeleton(std::size_t count) {
  std::string text = R"({"send":"-","accept":[)";
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? R"("-")" : R"(,"-")";
  return Secret::copy_of(text + "]}");
}

}  // namespace

Result<KeySet> read_key_set(const Secret& document) {
  auto send = extract(json_at("/send"), document, {});
  if (!send) return Error{Errc::Invalid, "the value is no key set: it names no key to send"};
  KeySet keys{std::move(send->password), {}};
  for (std::size_t i = 0; i <= accepted_keys_max; ++i) {
    auto accepted = extract(json_at(accepted_at(i)), document, {});
    if (!accepted) break;
    keys.accept.push_back(std::move(accepted->password));
  }
  if (keys.accept.size() > accepted_keys_max) return Error{Errc::Invalid, "the key set accepts too many keys"};
  if (!contains(keys.accept, keys.send)) return Error{Errc::Invalid, "the key set does not accept the key that it sends"};
  return keys;
}

Result<Secret> write_key_set(const KeySet& keys) {
  auto document = render(json_at("/send"), skeleton(keys.accept.size()), {}, keys.send);
  for (std::size_t i = 0; document && i < keys.accept.size(); ++i) {
    document = render(json_at(accepted_at(i)), *document, {}, keys.accept[i]);
  }
  return document;
}

bool same_keys(const KeySet& a, const KeySet& b) {
  if (!a.send.equals(b.send) || a.accept.size() != b.accept.size()) return false;
  return std::all_of(a.accept.begin(), a.accept.end(), [&](const Secret& key) { return contains(b.accept, key); });
}

Result<Secret> document_of(Credential content, const Secret& old, const Secret& pending) {
  if (content == Credential::Old) return old.clone();
  if (content == Credential::Pending) return pending.clone();
  auto before = read_key_set(old);
  if (!before) return before.error();
  auto after = read_key_set(pending);
  if (!after) return after.error();
  KeySet& first = content == Credential::OldOfBoth ? *before : *after;
  const KeySet& second = content == Credential::OldOfBoth ? *after : *before;
  accept_all(first, second.accept);
  if (first.accept.size() > accepted_keys_max) return Error{Errc::Invalid, "the key set accepts too many keys to take a new one"};
  return write_key_set(first);
}

Published recognise(const Secret& published, const Secret& old, const Secret& pending) {
  const auto found = read_key_set(published);
  if (!found) return Published::Foreign;
  for (const Credential content : {Credential::Old, Credential::OldOfBoth, Credential::PendingOfBoth, Credential::Pending}) {
    const auto document = document_of(content, old, pending);
    if (!document) continue;
    const auto keys = read_key_set(*document);
    if (keys && same_keys(*found, *keys)) return published_as(content);
  }
  return Published::Foreign;
}

}  // namespace keyturn
