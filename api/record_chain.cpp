#include "api/record_chain.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "api/canonical_json.h"
#include "api/codec.h"
#include "api/codec_record_link.h"
#include "api/words.h"
#include "base/hash.h"

namespace keyturn::api {
namespace {

namespace json = boost::json;

constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();

// The canonical form with another name than the object's own: what a record gave under the name that it was taken from.
std::string canonical_under(const json::object& run, std::string_view name) {
  static const json::object empty;
  const auto member = [&run](std::string_view field) -> const json::object& {
    const json::value* value = run.if_contains(field);
    const json::object* object = value == nullptr ? nullptr : value->if_object();
    return object == nullptr ? empty : *object;
  };
  CanonicalText text;
  text.add_raw("{\"name\":");
  text.add_string(name);
  text.add_raw(",\"spec\":");
  text.add(member(codec::spec_field));
  text.add_raw(",\"status\":");
  text.add(member(codec::status_field), codec::record_hash_field);
  text.add_raw("}");
  return std::move(text).take();
}

std::string prefixed(const Sha256& digest) { return "sha256:" + to_hex(digest); }

// Whose end came first; equal times are told apart so that the order is the same whatever the input's.
auto age_of(const RecordLink& link) { return std::tie(link.finished_at, link.generation, link.run); }
auto age_of(const RotationRun& run) { return std::tie(run.status.finished_at, run.spec.generation, run.meta.name); }

const RotationRun* last_of(const std::vector<RotationRun>& runs) {
  std::unordered_set<std::string_view> followed;
  for (const RotationRun& run : runs) {
    if (!run.status.record_hash.empty()) followed.insert(run.status.previous_hash);
  }
  const RotationRun* last = nullptr;
  for (const RotationRun& run : runs) {
    if (run.status.record_hash.empty() || followed.contains(run.status.record_hash)) continue;
    if (last == nullptr || age_of(*last) < age_of(run)) last = &run;
  }
  return last;
}

}  // namespace

std::string canonical_record(const json::object& run) { return canonical_under(run, link_of(run).run); }
std::string record_digest(const json::object& run) { return prefixed(sha256(canonical_record(run))); }

void seal(RotationRun& run, std::string previous) {
  run.status.previous_hash = std::move(previous);
  run.status.record_hash = record_digest(encode(run));
}

std::string last_sealed(const std::vector<RotationRun>& runs) {
  const RotationRun* last = last_of(runs);
  return last == nullptr ? std::string{} : last->status.record_hash;
}

std::optional<RecordHead> head_after(const std::optional<RecordHead>& noted, const std::vector<RotationRun>& runs) {
  const RotationRun* last = last_of(runs);
  if (last == nullptr || (noted && noted->hash == last->status.record_hash)) return noted;
  std::unordered_map<std::string_view, const RotationRun*> by_hash;
  for (const RotationRun& run : runs) {
    if (!run.status.record_hash.empty()) by_hash.emplace(run.status.record_hash, &run);
  }
  if (!noted) return RecordHead{static_cast<std::int64_t>(by_hash.size()), last->status.record_hash};
  RecordHead head{noted->sealed, last->status.record_hash};
  // A chain has no more links than records; forged hashes could make a ring of it.
  const RotationRun* at = last;
  for (std::size_t steps = 0; steps < by_hash.size(); ++steps) {
    ++head.sealed;
    if (at->status.previous_hash == noted->hash) return head;
    const auto before = by_hash.find(at->status.previous_hash);
    if (before == by_hash.end()) break;
    at = before->second;
  }
  return noted;
}

RecordLink link_of(const json::object& run) {
  RecordLink link;
  codec::Reader io(run);
  codec::describe(io, link);
  link.readable = !io.failed() && !link.run.empty() && !link.rotation.name.empty();
  return link;
}

bool is_record(const RecordLink& link) {
  if (!link.readable || !link.hash.empty()) return true;
  const std::optional<Phase> phase = parse_word<Phase>(link.phase);
  return phase && is_terminal(*phase);
}

namespace {

// Under which other name the content gives the hash that is stated. A run's name ends in its generation, so there is one to try.
std::string true_name(const json::object& run, const RecordLink& link) {
  const std::size_t dash = link.run.rfind('-');
  if (dash == std::string::npos || link.hash.empty()) return {};
  std::string name = link.run.substr(0, dash + 1) + std::to_string(link.generation);
  return name != link.run && prefixed(sha256(canonical_under(run, name))) == link.hash ? name : std::string{};
}

}  // namespace

Record record_of(const json::object& run) {
  Record record{link_of(run), {}, {}};
  record.digest = prefixed(sha256(canonical_under(run, record.link.run)));
  if (record.digest != record.link.hash) record.moved_from = true_name(run, record.link);
  return record;
}

std::string_view name_of(Tampering value) noexcept {
  constexpr std::array<std::string_view, 7> names{"Edited", "Removed", "Reordered", "Inserted", "Truncated", "Forked", "Unsealed"};
  return names.at(static_cast<std::size_t>(value));
}

namespace {

// One verification: each record for itself, then the links of those that are sound, then what is known from outside. The link that a
// damaged record states is not believed; a link to it still counts, so that one damage is one finding.
class Chain {
 public:
  explicit Chain(std::vector<Record> records) : records_(std::move(records)) {
    std::erase_if(records_, [](const Record& record) { return !is_record(record.link); });
    std::sort(records_.begin(), records_.end(), [](const Record& a, const Record& b) { return age_of(a.link) < age_of(b.link); });
    nodes_.resize(records_.size());
  }

  Verification verify(const Anchors& anchors) {
    Verification result;
    result.records = static_cast<std::int64_t>(records_.size());
    if (!records_.empty()) {
      identify();
      for (std::size_t i = 0; i < records_.size(); ++i) judge_content(i);
      link();
      measure();
      for (std::size_t i = 0; i < records_.size(); ++i) judge_link(i);
      result.head = stated(head());
    }
    for (Node& node : nodes_) std::move(node.findings.begin(), node.findings.end(), std::back_inserter(result.findings));
    anchor(anchors, result.findings);
    return result;
  }

 private:
  using Place = std::pair<std::string_view, std::int64_t>;  // identity and generation
  struct Node {
    std::size_t parent = nobody;
    std::vector<std::size_t> followers;
    std::size_t size = 1;  // of the part of the chain that begins here
    std::vector<Finding> findings;
    bool sound() const { return findings.empty(); }
  };

  const RecordLink& about(std::size_t i) const { return records_[i].link; }
  const std::string& stated(std::size_t i) const { return about(i).hash.empty() ? records_[i].digest : about(i).hash; }
  void find(std::size_t i, Tampering kind, std::string message) { nodes_[i].findings.push_back({kind, about(i).run, std::move(message)}); }
  std::size_t known(std::string_view hash) const {
    const auto found = by_hash_.find(hash);
    return found == by_hash_.end() ? nobody : found->second;
  }

  // Under which hashes a record is known: the one that its content gives before the one that it states.
  void identify() {
    by_hash_.reserve(2 * records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) by_hash_.emplace(records_[i].digest, i);
    for (std::size_t i = 0; i < records_.size(); ++i) {
      by_hash_.emplace(stated(i), i);
      by_place_[Place{about(i).identity, about(i).generation}].push_back(i);
    }
  }

  void judge_content(std::size_t i) {
    const Record& record = records_[i];
    if (!record.link.readable) return find(i, Tampering::Edited, "it cannot be read as a record");
    if (record.link.hash.empty()) return find(i, Tampering::Unsealed, "it has ended, but carries no hash");
    if (record.link.hash == record.digest) return;
    const std::size_t owner = known(record.link.hash);
    if (owner != i && records_[owner].digest == record.link.hash)
      return find(i, Tampering::Inserted, "it carries the hash of " + about(owner).run);
    if (!record.moved_from.empty()) return find(i, Tampering::Reordered, "it holds the record of " + record.moved_from);
    find(i, Tampering::Edited, "its content does not give the hash that it was sealed with");
  }

  void link() {
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!nodes_[i].sound() || about(i).previous.empty()) continue;
      nodes_[i].parent = known(about(i).previous);
      if (nodes_[i].parent != nobody) nodes_[nodes_[i].parent].followers.push_back(i);
    }
  }

  // How long each part of the chain is, and which part is the beginning. A sound record's hash covers that of its parent, so that the
  // links that are followed here cannot form a ring.
  void measure() {
    std::vector<std::size_t> order;
    order.reserve(records_.size());
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (nodes_[i].parent == nobody) order.push_back(i);
    }
    for (std::size_t next = 0; next < order.size(); ++next) {
      const std::vector<std::size_t>& followers = nodes_[order[next]].followers;
      order.insert(order.end(), followers.begin(), followers.end());
    }
    for (auto i = order.rbegin(); i != order.rend(); ++i) {
      if (nodes_[*i].parent != nobody) nodes_[nodes_[*i].parent].size += nodes_[*i].size;
    }
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const bool claims = nodes_[i].sound() && about(i).previous.empty();
      if (claims && (first_ == nobody || nodes_[i].size > nodes_[first_].size)) first_ = i;
    }
  }

  // Where a chain forks, the longer part is taken for the chain, and of equal ones the older.
  std::size_t main_follower(std::size_t i) const {
    std::size_t best = nobody;
    for (const std::size_t follower : nodes_[i].followers) {
      if (best == nobody || nodes_[follower].size > nodes_[best].size) best = follower;
    }
    return best;
  }

  void judge_link(std::size_t i) {
    if (!nodes_[i].sound()) return;
    if (nodes_[i].parent == nobody) {
      if (!about(i).previous.empty()) return judge_gap(i);
      if (i != first_) find(i, Tampering::Inserted, "it claims to be the first record, but " + about(first_).run + " is");
      return;
    }
    const std::size_t main = main_follower(nodes_[i].parent);
    if (main != i) return find(i, Tampering::Forked, "it follows the same record as " + about(main).run);
    const RecordLink& before = about(nodes_[i].parent);
    const bool comparable = nodes_[nodes_[i].parent].sound() && before.identity == about(i).identity;
    if (comparable && before.generation >= about(i).generation)
      find(i, Tampering::Reordered,
           "its generation " + std::to_string(about(i).generation) + " comes after " + std::to_string(before.generation));
  }

  // What it follows is not there. If no generation is missing either, then the one before was written anew, with a hash to match.
  void judge_gap(std::size_t i) {
    const auto before = by_place_.find(Place{about(i).identity, about(i).generation - 1});
    const std::size_t suspect = before == by_place_.end() ? nobody : before->second.front();
    if (suspect != nobody && nodes_[suspect].followers.empty()) {
      if (nodes_[suspect].sound())
        find(suspect, Tampering::Edited,
             "it was written anew after its end: " + about(i).run + ", which comes after it, names another hash");
      return;
    }
    const std::vector<std::size_t>& same = by_place_.at(Place{about(i).identity, about(i).generation});
    const auto other = std::find_if(same.begin(), same.end(), [i](std::size_t one) { return one != i; });
    if (other != same.end()) {
      return find(
          i, Tampering::Inserted,
          "generation " + std::to_string(about(i).generation) + " is that of " + about(*other).run + ", and nothing leads to this one");
    }
    find(i, Tampering::Removed, "the record before it, " + about(i).previous + ", is not there");
  }

  // The end of the part that holds the newest record.
  std::size_t head() const {
    std::size_t at = records_.size() - 1;
    for (std::size_t next = at; next != nobody; next = main_follower(at)) at = next;
    return at;
  }

  void anchor(const Anchors& anchors, std::vector<Finding>& findings) const {
    const std::string here = std::to_string(records_.size()) + " are here";
    const auto missing = [this](const std::string& hash) { return !hash.empty() && known(hash) == nobody; };
    if (anchors.noted && missing(anchors.noted->hash)) {
      findings.push_back({Tampering::Truncated, "",
                          "the last record that the rotation's status notes, " + anchors.noted->hash +
                              ", is not there: " + std::to_string(anchors.noted->sealed) + " were sealed, " + here});
    }
    if (missing(anchors.by_hand))
      findings.push_back({Tampering::Truncated, "", "the record of the anchor, " + anchors.by_hand + ", is not there: " + here});
  }

  std::vector<Record> records_;  // oldest end first; the views below point into it
  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, std::size_t> by_hash_;
  std::map<Place, std::vector<std::size_t>> by_place_;
  std::size_t first_ = nobody;
};

}  // namespace

Verification verify(std::vector<Record> records, const Anchors& anchors) { return Chain(std::move(records)).verify(anchors); }

}  // namespace keyturn::api
