// A shared key as one atomic document: the key that a service sends and the keys that it accepts (protocol.md 14). A vault cannot write
// two secrets at once, and a service may restart between two writes; so the two never stand apart. Pure.
//
//   {"send":"new","accept":["new","old"]}
#pragma once

#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "reconcilers/rotation/observation.h"
#include "reconcilers/rotation/plan.h"

namespace keyturn {

struct KeySet {
  Secret send;
  std::vector<Secret> accept;  // in no order that means anything
};

inline constexpr std::size_t accepted_keys_max = 4;

// Errors: Invalid, when the document does not parse, accepts no key or too many, or does not accept what it sends.
Result<KeySet> read_key_set(const Secret& document);
// Errors: Invalid, when a key cannot stand in a JSON document.
Result<Secret> write_key_set(const KeySet& keys);
bool same_keys(const KeySet& a, const KeySet& b);

// What is published as `content`, made from the two documents that accept one key only: `old` as it was found, `pending` as it was
// staged. Errors: Invalid, when one of them is none.
Result<Secret> document_of(Credential content, const Secret& old, const Secret& pending);

// Which of the four documents `published` is; Foreign when it is none of them.
Published recognise(const Secret& published, const Secret& old, const Secret& pending);

}  // namespace keyturn
