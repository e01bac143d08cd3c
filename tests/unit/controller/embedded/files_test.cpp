// What the server keeps on disk: certificates, the kubeconfig, private files.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <fstream>

#include "base/hash.h"
#include "controller/embedded/certificates.h"
#include "controller/embedded/kubeconfig.h"
#include "controller/embedded/private_file.h"
#include "tests/support/temporary_directory.h"

namespace keyturn::embedded {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

TEST(Kubeconfig, IsPrivateAndHoldsATokenAndTheAuthority) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "keyturn" / "config";
  ASSERT_TRUE(write_kubeconfig(path.string(), "https://127.0.0.1:6443", "PEM", Secret::copy_of("old")));
  ASSERT_TRUE(write_kubeconfig(path.string(), "https://127.0.0.1:6443", "PEM", Secret::copy_of("abc")));
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(mode_of(path.parent_path()), 0700u);
  const YAML::Node config = YAML::LoadFile(path.string());
  EXPECT_EQ(config["clusters"][0]["cluster"]["server"].as<std::string>(), "https://127.0.0.1:6443");
  EXPECT_EQ(config["clusters"][0]["cluster"]["certificate-authority-data"].as<std::string>(), to_base64("PEM"));
  EXPECT_EQ(config["users"][0]["user"]["token"].as<std::string>(), "abc");
  EXPECT_EQ(config["current-context"].as<std::string>(), "keyturn");
}

TEST(Certificates, KeepTheirAuthorityOverRestarts) {
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "tls").string();
  const Result<Certificates> first = ensure_certificates(path, {"127.0.0.1"});
  const Result<Certificates> second = ensure_certificates(path, {"127.0.0.1", "localhost"});
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->ca_pem, second->ca_pem);
  EXPECT_EQ(second->server.client_ca_pem, second->ca_pem);
  EXPECT_TRUE(net::server_context(second->server));
  EXPECT_EQ(mode_of(path + "/ca.key"), 0600u);
}

TEST(Certificates, RefuseABrokenOrPublicAuthority) {
  const TemporaryDirectory directory;
  const std::string path = directory.path().string();
  ASSERT_TRUE(ensure_certificates(path, {"localhost"}));
  ::chmod((path + "/ca.key").c_str(), 0644);
  EXPECT_EQ(ensure_certificates(path, {"localhost"}).error().code, Errc::Denied);
  std::filesystem::remove(path + "/ca.key");
  EXPECT_EQ(ensure_certificates(path, {"localhost"}).error().code, Errc::Invalid);
}

TEST(PrivateFile, CannotBeWrittenWhereThereIsAFileInTheWay) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() / "file") << "x";
  EXPECT_FALSE(write_private_file((directory.path() / "file" / "inside").string(), Secret::copy_of("x")));
  EXPECT_EQ(read_private_file((directory.path() / "none").string()).error().code, Errc::NotFound);
}

}  // namespace
}  // namespace keyturn::embedded
