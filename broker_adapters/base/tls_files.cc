#include "broker_adapters/base/tls_files.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr size_t kMostBytes = 1024 * 1024;

template <auto Free>
struct Deleter {
  template <class Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

absl::Status Wrong(std::string_view setting, std::string_view path, std::string_view complaint) {
  return absl::InvalidArgumentError(fmt::format("{}: {} {}", setting, path, complaint));
}

absl::StatusOr<std::string> ReadPem(std::string_view setting, const std::string& path) {
  const auto unreadable = [&](std::string_view why) {
    return Wrong(setting, path, fmt::format("can't be read: {}: check its path and permissions", why));
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return unreadable("it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unreadable(std::strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMostBytes) return unreadable("it is larger than 1 MiB");
  return text;
}

Bio BioOf(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// The first certificate there is, or null.
Certificate FirstCertificate(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

// Answers the question for a passphrase with none: nobody is there to be asked.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::Status CheckCertificate(std::string_view setting, const std::string& path, const std::string& pem) {
  if (FirstCertificate(pem)) return absl::OkStatus();
  return Wrong(setting, path, "holds no certificate: give a PEM file, one with -----BEGIN CERTIFICATE-----");
}

absl::Status CheckKey(const TlsFiles& files, const TlsNames& names, const TlsPem& pem) {
  bool encrypted = false;
  const PrivateKey key(
      PEM_read_bio_PrivateKey(BioOf(pem.cert_key.Reveal()).get(), nullptr, NoPassphrase, &encrypted));
  ERR_clear_error();
  if (encrypted) {
    return Wrong(names.cert_key, files.cert_key,
                 "is protected by a passphrase: give a copy without, made by `openssl pkey`");
  }
  if (!key) {
    return Wrong(names.cert_key, files.cert_key,
                 "holds no private key: give a PEM file, one with -----BEGIN PRIVATE KEY-----");
  }
  const Certificate certificate = FirstCertificate(pem.cert);
  const bool match = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (match) return absl::OkStatus();
  return Wrong(
      names.cert_key, files.cert_key,
      fmt::format("is not the key to {}: give the one which that certificate was made with", files.cert));
}

absl::Status CheckComplete(const TlsFiles& files, const TlsNames& names) {
  if (files.cert.empty() == files.cert_key.empty()) return absl::OkStatus();
  const bool no_key = files.cert_key.empty();
  return absl::InvalidArgumentError(fmt::format("{}: is missing: {} needs it, give both or neither",
                                                no_key ? names.cert_key : names.cert,
                                                no_key ? names.cert : names.cert_key));
}

}  // namespace

absl::StatusOr<std::optional<TlsPem>> ReadTls(const TlsFiles& files, const TlsNames& names) {
  if (files.empty()) return std::nullopt;
  RETURN_IF_ERROR(CheckComplete(files, names));
  TlsPem pem;
  if (!files.ca.empty() && files.ca != kSystemCa) {
    ASSIGN_OR_RETURN(pem.ca, ReadPem(names.ca, files.ca));
    RETURN_IF_ERROR(CheckCertificate(names.ca, files.ca, pem.ca));
  }
  if (!files.cert.empty()) {
    ASSIGN_OR_RETURN(pem.cert, ReadPem(names.cert, files.cert));
    RETURN_IF_ERROR(CheckCertificate(names.cert, files.cert, pem.cert));
    ASSIGN_OR_RETURN(std::string key, ReadPem(names.cert_key, files.cert_key));
    pem.cert_key = Secret(std::move(key));
    RETURN_IF_ERROR(CheckKey(files, names, pem));
  }
  return pem;
}

}  // namespace llm_router
