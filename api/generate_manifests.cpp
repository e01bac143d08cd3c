// keyturn-generate [--check] ROOT: writes the CRDs, the reference pages and the runbook below ROOT, or says which of them are stale.
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

#include "api/generate/reference.h"
#include "api/generate/runbook.h"
#include "api/generate/yaml.h"
#include "api/hazards.h"
#include "api/reasons.h"
#include "api/schema.h"

namespace keyturn::generate {
namespace {

// Path below the root, and what belongs there.
std::map<std::string, std::string> files() {
  constexpr std::string_view generated = "# Written by keyturn-generate from the schema in api/. Change it there.\n";
  std::map<std::string, std::string> out;
  boost::json::array crds;
  for (const auto& kind : api::kinds()) {
    const std::string name = "keyturn.dev_" + kind.plural + ".yaml";
    out["manifests/crd/" + name] = std::string(generated) + to_yaml(api::custom_resource_definition(kind));
    out["docs/reference/" + kind.singular + ".md"] = reference_page(kind);
    crds.emplace_back(name);
  }
  out["manifests/crd/kustomization.yaml"] =
      std::string(generated) +
      to_yaml(boost::json::object{
          {"apiVersion", "kustomize.config.k8s.io/v1beta1"}, {"kind", "Kustomization"}, {"resources", std::move(crds)}});
  out["docs/reference/README.md"] = reference_index(api::kinds());
  out["docs/reference/hazards.md"] = hazards_page(api::hazard::all());
  out["docs/runbook/README.md"] = runbook_index(api::reason::all());
  return out;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// How many files are not as they should be.
int check(const std::filesystem::path& root) {
  int stale = 0;
  for (const auto& [path, content] : files()) {
    if (content_of(root / path) != content) {
      std::cerr << "stale: " << path << "\n";
      ++stale;
    }
  }
  if (stale > 0) {
    std::cerr << "run keyturn-generate and commit what it writes\n";
  }
  return stale;
}

void write(const std::filesystem::path& root) {
  for (const auto& [path, content] : files()) {
    if (content_of(root / path) == content) {
      continue;
    }
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream file(root / path, std::ios::binary | std::ios::trunc);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file << content << std::flush;
    std::cout << "wrote " << path << "\n";
  }
}

}  // namespace
}  // namespace keyturn::generate

int main(int argc, char** argv) {
  try {
    const bool check_only = argc == 3 && std::string_view(argv[1]) == "--check";
    if (!check_only && argc != 2) {
      std::cerr << "usage: keyturn-generate [--check] ROOT\n";
      return 2;
    }
    const std::filesystem::path root = argv[argc - 1];
    if (check_only) {
      return keyturn::generate::check(root) == 0 ? 0 : 1;
    }
    keyturn::generate::write(root);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "keyturn-generate: " << error.what() << "\n";
    return 1;
  }
}
