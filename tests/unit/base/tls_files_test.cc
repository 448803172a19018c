#include "broker_adapters/base/tls_files.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"
#include "tests/support/certificates.h"

namespace llm_router {
namespace {

constexpr TlsNames kNames{"broker.ca", "broker.cert", "broker.cert_key"};

std::string ErrorOf(const TlsFiles& files) { return std::string(MessageOf(ReadTls(files, kNames).status())); }

TEST_CASE("no file: no TLS") {
  const auto tls = ReadTls(TlsFiles(), kNames);
  REQUIRE(tls.ok());
  CHECK_FALSE(tls->has_value());
}

TEST_CASE("a CA, a certificate and its key are read whole") {
  const test::Certificates certificates;
  const auto tls = ReadTls(certificates.Issue("server"), kNames);
  REQUIRE(tls.ok());
  CHECK((*tls)->ca.find("BEGIN CERTIFICATE") != std::string::npos);
  CHECK((*tls)->cert.find("BEGIN CERTIFICATE") != std::string::npos);
  CHECK((*tls)->cert_key.Reveal().find("BEGIN PRIVATE KEY") != std::string_view::npos);
}

TEST_CASE("the system's CAs are TLS without a file") {
  TlsFiles files;
  files.ca = "system";
  const auto tls = ReadTls(files, kNames);
  REQUIRE(tls.ok());
  REQUIRE(tls->has_value());
  CHECK((*tls)->ca.empty());
}

TEST_CASE("what is wrong with a file is said with its setting, its path and a remedy") {
  const test::Certificates certificates;
  const TlsFiles good = certificates.Issue("server");
  TlsFiles files = good;

  files.ca = "/nowhere/ca.pem";
  CHECK(
      ErrorOf(files) ==
      "broker.ca: /nowhere/ca.pem can't be read: No such file or directory: check its path and permissions");
  files.ca = "/tmp";
  CHECK(ErrorOf(files) == "broker.ca: /tmp can't be read: it is a directory: check its path and permissions");
  files.ca = certificates.Write("text.pem", "no certificate\n");
  CHECK(ErrorOf(files) == fmt::format("broker.ca: {} holds no certificate: give a PEM file, one with "
                                      "-----BEGIN CERTIFICATE-----",
                                      files.ca));
  files = good;
  files.cert = certificates.Write("empty.pem", "");
  CHECK(ErrorOf(files) == fmt::format("broker.cert: {} holds no certificate: give a PEM file, one with "
                                      "-----BEGIN CERTIFICATE-----",
                                      files.cert));
  files = good;
  files.cert_key = good.cert;
  CHECK(ErrorOf(files) == fmt::format("broker.cert_key: {} holds no private key: give a PEM file, one with "
                                      "-----BEGIN PRIVATE KEY-----",
                                      good.cert));
  files.cert_key = certificates.Issue("other").cert_key;
  CHECK(ErrorOf(files) == fmt::format("broker.cert_key: {} is not the key to {}: give the one which that "
                                      "certificate was made with",
                                      files.cert_key, good.cert));
  files.cert_key.clear();
  CHECK(ErrorOf(files) == "broker.cert_key: is missing: broker.cert needs it, give both or neither");
  files = TlsFiles();
  files.cert_key = good.cert_key;
  CHECK(ErrorOf(files) == "broker.cert: is missing: broker.cert_key needs it, give both or neither");
}

TEST_CASE("a key that asks for a passphrase is refused without asking") {
  const test::Certificates certificates;
  TlsFiles files = certificates.Issue("server");
  const std::string encrypted = certificates.Encrypted(files.cert_key);
  files.cert_key = encrypted;
  CHECK(ErrorOf(files) ==
        fmt::format("broker.cert_key: {} is protected by a passphrase: give a copy without, "
                    "made by `openssl pkey`",
                    encrypted));
}

TEST_CASE("a file larger than a certificate can be is not read") {
  const test::Certificates certificates;
  TlsFiles files;
  files.ca = certificates.Write("large.pem", std::string(1024 * 1024 + 1, 'x'));
  CHECK(ErrorOf(files) ==
        fmt::format("broker.ca: {} can't be read: it is larger than 1 MiB: check its path and permissions",
                    files.ca));
}

}  // namespace
}  // namespace llm_router
