#include "cli/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/hash.h"

namespace keyturn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t token_bytes_max = 16 << 10;

Error invalid(const std::string& path, const std::string& what) { return {Errc::Invalid, "the kubeconfig " + path + " " + what}; }

// The entry called `name` of one of the lists "clusters", "users" and "contexts": its part under `part`.
YAML::Node entry_of(const YAML::Node& root, const std::string& list, const std::string& name, const std::string& part) {
  for (const YAML::Node& entry : root[list])
    if (entry["name"].as<std::string>("") == name) return entry[part];
  return YAML::Node(YAML::NodeType::Undefined);
}

std::string text_of(const YAML::Node& node, const std::string& key) {
  return node && node.IsMap() && node[key] ? node[key].as<std::string>("") : std::string();
}

// Paths inside a kubeconfig are relative to it.
std::string beside(const std::string& kubeconfig, const std::string& path) {
  return fs::path(path).is_absolute() ? path : (fs::path(kubeconfig).parent_path() / path).string();
}

Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{Errc::NotFound, "the file of the certificate authority cannot be read: " + path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Straight into the arena; the newline that editors add is no part of a token.
Result<std::shared_ptr<const Secret>> read_token(const std::string& path) {
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // no copy of the token in a stream's buffer
  file.open(path, std::ios::binary);
  if (!file) return Error{Errc::NotFound, "the token file cannot be read: " + path};
  SecretBuffer buffer;
  const std::span<char> room = buffer.prepare(token_bytes_max);
  file.read(room.data(), static_cast<std::streamsize>(room.size()));
  std::size_t size = static_cast<std::size_t>(file.gcount());
  while (size > 0 && std::isspace(static_cast<unsigned char>(room[size - 1])) != 0) --size;
  if (size == 0) return Error{Errc::Invalid, "the token file is empty: " + path};
  buffer.commit(size);
  return std::make_shared<const Secret>(std::move(buffer).finish());
}

// What a kubeconfig says, before anything is opened.
struct Stated {
  std::string server;
  std::string ca_pem;
  std::string ca_file;
  std::string token_file;
  std::shared_ptr<const Secret> token;
  std::string ns;
};

Result<Stated> stated_by(const YAML::Node& root, const std::string& path, const std::string& wanted_context) {
  const std::string context_name = wanted_context.empty() ? text_of(root, "current-context") : wanted_context;
  const YAML::Node context = entry_of(root, "contexts", context_name, "context");
  if (!context) return invalid(path, "has no context \"" + context_name + "\": choose one with --context");
  const YAML::Node cluster = entry_of(root, "clusters", text_of(context, "cluster"), "cluster");
  if (!cluster) return invalid(path, "names a cluster in its context that it does not have");
  if (text_of(cluster, "insecure-skip-tls-verify") == "true")
    return invalid(path, "turns off the check of certificates, which Keyturn does not do: name the authority in certificate-authority");
  const YAML::Node user = entry_of(root, "users", text_of(context, "user"), "user");
  Stated stated;
  stated.server = text_of(cluster, "server");
  stated.ns = text_of(context, "namespace");
  if (const std::string file = text_of(cluster, "certificate-authority"); !file.empty()) stated.ca_file = beside(path, file);
  if (const std::string data = text_of(cluster, "certificate-authority-data"); !data.empty()) {
    const std::optional<std::string> pem = from_base64(data);
    if (!pem) return invalid(path, "has certificate-authority-data that is not base64");
    stated.ca_pem = *pem;
  }
  if (const std::string file = text_of(user, "tokenFile"); !file.empty()) stated.token_file = beside(path, file);
  // yaml-cpp knows strings only; the process that holds this copy ends with the command.
  if (const std::string token = text_of(user, "token"); !token.empty())
    stated.token = std::make_shared<const Secret>(Secret::copy_of(token));
  return stated;
}

Result<Stated> read_kubeconfig(const std::string& path, const std::string& context) {
  try {
    const YAML::Node root = YAML::LoadFile(path);
    if (!root.IsMap()) return invalid(path, "is not a kubeconfig");
    return stated_by(root, path, context);
  } catch (const YAML::Exception&) {
    // The library's text may quote the file, and with it a token.
    return invalid(path, "is not valid YAML");
  }
}

}  // namespace

std::string kubeconfig_path(const Arguments& arguments, const Environment& environment) {
  if (!arguments.kubeconfig.empty()) return arguments.kubeconfig;
  for (const char* name : {"KEYTURN_KUBECONFIG", "KUBECONFIG"}) {
    const std::optional<std::string> value = environment(name);
    if (!value || value->empty()) continue;
    std::string first;
    std::istringstream list(*value);
    for (std::string path; std::getline(list, path, ':');) {
      if (path.empty()) continue;
      if (fs::exists(path)) return path;
      if (first.empty()) first = path;
    }
    if (!first.empty()) return first;
  }
  return (fs::path(environment("HOME").value_or(".")) / ".keyturn" / "kubeconfig").string();
}

Result<Connection> read_connection(const Arguments& arguments, const Environment& environment) {
  const std::string path = kubeconfig_path(arguments, environment);
  const bool flags_say_all = !arguments.server.empty() && !arguments.token_file.empty() && arguments.kubeconfig.empty();
  Stated stated;
  if (fs::exists(path)) {
    Result<Stated> read = read_kubeconfig(path, arguments.context);
    if (!read) return read.error();
    stated = std::move(*read);
  } else if (!flags_say_all) {
    return Error{Errc::NotFound, "there is no kubeconfig at " + path +
                                     ": a controller writes one when it starts; name it with --kubeconfig or $KEYTURN_KUBECONFIG, or "
                                     "give --server and --token-file"};
  }
  if (!arguments.server.empty()) stated.server = arguments.server;
  if (!arguments.token_file.empty()) {
    stated.token_file = arguments.token_file;
    stated.token = nullptr;
  }
  if (!arguments.certificate_authority.empty()) {
    stated.ca_file = arguments.certificate_authority;
    stated.ca_pem.clear();
  }
  Connection connection;
  if (stated.server.empty()) return invalid(path, "names no server: give one with --server");
  const Result<net::Url> server = net::Url::parse(stated.server);
  if (!server) return Error{Errc::Invalid, "the server's address is not one of the form https://host:port"};
  connection.server = *server;
  connection.ca_pem = stated.ca_pem;
  if (connection.ca_pem.empty() && !stated.ca_file.empty()) {
    Result<std::string> pem = read_pem(stated.ca_file);
    if (!pem) return pem.error();
    connection.ca_pem = std::move(*pem);
  }
  connection.token = stated.token;
  if (!connection.token) {
    if (stated.token_file.empty()) return invalid(path, "has no token for its user: give one with --token-file");
    Result<std::shared_ptr<const Secret>> token = read_token(stated.token_file);
    if (!token) return token.error();
    connection.token = std::move(*token);
  }
  if (!stated.ns.empty()) connection.ns = stated.ns;
  return connection;
}

}  // namespace keyturn
