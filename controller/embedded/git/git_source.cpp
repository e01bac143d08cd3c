#include "controller/embedded/git/git_source.h"

#include <algorithm>

#include "base/log.h"
#include "controller/embedded/yaml_json.h"

namespace keyturn::git {
namespace {

namespace json = boost::json;

constexpr Duration look_timeout = std::chrono::minutes(2);
constexpr std::size_t problems_max = 100;

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

ObjectKey key_of(const json::object& object) {
  const json::value* metadata = object.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return {};
  return {text_at(metadata->get_object(), "namespace"), text_at(metadata->get_object(), "name")};
}

std::string title_of(const json::object& object) { return text_at(object, "kind") + " " + key_of(object).to_string(); }

// Environments first: rotations name them.
int rank_of(const json::object& object) {
  const std::string kind = text_at(object, "kind");
  return kind == "Namespace" ? 0 : kind == "RotationEnvironment" ? 1 : 2;
}

// Files for kustomize hold no object of the API.
bool is_for_tools(const json::object& object) { return text_at(object, "kind") == "Kustomization" || text_at(object, "apiVersion").starts_with("kustomize"); }

}  // namespace

std::vector<json::object> objects_of(const Tree& tree, std::vector<std::string>& problems) {
  std::vector<json::object> objects;
  for (const File& file : tree.files) {
    auto documents = embedded::read_yaml_documents(file.text);
    if (!documents) {
      problems.push_back(file.path + ": " + documents.error().message);
      continue;
    }
    for (json::value& document : *documents) {
      if (document.is_null()) continue;  // an empty document
      const bool object = document.is_object();
      if (!object || text_at(document.get_object(), "kind").empty() || key_of(document.get_object()).name.empty()) {
        if (object && is_for_tools(document.get_object())) continue;
        problems.push_back(file.path + ": a document is not an object of the API: it needs apiVersion, kind and metadata.name");
        continue;
      }
      objects.push_back(std::move(document.get_object()));
    }
  }
  std::sort(objects.begin(), objects.end(), [](const json::object& a, const json::object& b) {
    return std::pair(rank_of(a), title_of(a)) < std::pair(rank_of(b), title_of(b));
  });
  return objects;
}

GitSource::GitSource(boost::asio::any_io_executor executor, Clock& clock, BlockingPool& pool, ObjectSink& sink, GitSourceOptions options)
    : clock_(clock), pool_(pool), sink_(sink), options_(std::move(options)), tasks_(std::move(executor)) {}

void GitSource::start() {
  tasks_.spawn("git", [this] { return follow(); });
}

Awaitable<> GitSource::follow() {
  while (true) {
    auto looked = co_await look(Context(clock_, "git").with_timeout(look_timeout));
    if (!looked) log::warn("the Git branch cannot be followed", {{"branch", options_.branch}, {"error", looked.error()}});
    co_await clock_.sleep_for(options_.interval);
  }
}

Task<> GitSource::look(Context context) {
  const Repository repository(options_.url, options_.branch, options_.cache);
  auto head = co_await pool_.run([repository] { return repository.head(); });
  if (!head) {
    status_.problems = {head.error().message};
    co_return head.error();
  }
  status_.seen = *head;
  if (status_.applied == *head) co_return ok();
  auto tree = co_await pool_.run([repository, commit = *head, folder = options_.folder, limits = options_.limits] {
    return repository.read(commit, folder, limits);
  });
  if (!tree) {
    status_.problems = {tree.error().message};
    co_return tree.error();
  }
  const std::vector<std::string> before = std::move(status_.problems);
  status_.problems = tree->problems;
  std::vector<json::object> objects = objects_of(*tree, status_.problems);
  co_await apply_all(context, std::move(objects));
  if (status_.problems.empty()) {
    status_.applied = *head;
    log::info("applied a commit", {{"commit", *head}, {"author", tree->author}, {"subject", tree->subject}});
  } else if (status_.problems != before) {
    for (const std::string& problem : status_.problems) log::warn("a manifest was not applied", {{"commit", *head}, {"problem", problem}});
  }
  co_return ok();
}

Awaitable<> GitSource::apply_all(Context context, std::vector<json::object> objects) {
  std::set<std::pair<std::string, ObjectKey>> present;
  for (json::object& object : objects) {
    present.emplace(text_at(object, "kind"), key_of(object));
    const std::string title = title_of(object);
    auto applied = co_await sink_.apply(context, std::move(object));
    if (!applied && status_.problems.size() < problems_max) status_.problems.push_back(title + ": " + applied.error().message);
  }
  // A file that cannot be read today may hold an object that was there yesterday: nothing is pruned on a broken tree.
  if (options_.prune && status_.problems.empty()) co_await prune_vanished(context, present);
  present_ = std::move(present);
}

Awaitable<> GitSource::prune_vanished(Context context, const std::set<std::pair<std::string, ObjectKey>>& present) {
  for (const auto& [kind, key] : present_) {
    if (present.contains({kind, key})) continue;
    auto removed = co_await sink_.remove(context, kind, key);
    if (!removed && removed.error().code != Errc::NotFound) status_.problems.push_back(kind + " " + key.to_string() + ": " + removed.error().message);
  }
}

}  // namespace keyturn::git
