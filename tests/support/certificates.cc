#include "tests/support/certificates.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>

namespace llm_router::test {
namespace {

constexpr long kDay = 24 * 60 * 60;

template <auto Free>
struct Deleter {
  template <class Object>
  void operator()(Object* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

void Must(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not make a certificate for the test");
}

void Extend(X509* certificate, int kind, const std::string& value) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  Must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// A certificate of `key` for the name `subject`, signed by nobody yet.
Certificate Draft(const std::string& subject, EVP_PKEY* key, int days) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), std::random_device{}());
  const long end = days * kDay;
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), std::min(end, 0L) - kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), end);
  Must(X509_set_pubkey(certificate.get(), key) == 1);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  return certificate;
}

void Sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  Must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1);
  Must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
}

Bio Open(const std::string& path, const char* mode) {
  Bio file(BIO_new_file(path.c_str(), mode));
  Must(file != nullptr);
  return file;
}

void Save(const std::string& cert_path, X509* certificate, const std::string& key_path, EVP_PKEY* key) {
  Must(PEM_write_bio_X509(Open(cert_path, "w").get(), certificate) == 1);
  Must(PEM_write_bio_PrivateKey(Open(key_path, "w").get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
}

}  // namespace

Certificates::Certificates() {
  std::string folder = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = folder;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = Draft("the test's CA", key.get(), 2);
  Extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  Sign(certificate.get(), certificate.get(), key.get());
  Save(ca(), certificate.get(), Path("ca.key"), key.get());
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

TlsFiles Certificates::Issue(const std::string& name, const Wanted& wanted) const {
  const Certificate issuer(PEM_read_bio_X509(Open(ca(), "r").get(), nullptr, nullptr, nullptr));
  const Key issuer_key(PEM_read_bio_PrivateKey(Open(Path("ca.key"), "r").get(), nullptr, nullptr, nullptr));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = Draft(name, key.get(), wanted.days);
  Extend(certificate.get(), NID_subject_alt_name, wanted.names);
  Sign(certificate.get(), issuer.get(), issuer_key.get());
  TlsFiles files;
  files.ca = ca();
  files.cert = Path(name + ".pem");
  files.cert_key = Path(name + ".key");
  Save(files.cert, certificate.get(), files.cert_key, key.get());
  return files;
}

std::string Certificates::Encrypted(const std::string& key_path) const {
  const Key key(PEM_read_bio_PrivateKey(Open(key_path, "r").get(), nullptr, nullptr, nullptr));
  const unsigned char passphrase[] = "secret";
  const std::string path = key_path + ".encrypted";
  Must(PEM_write_bio_PrivateKey(Open(path, "w").get(), key.get(), EVP_aes_128_cbc(), passphrase,
                                sizeof(passphrase) - 1, nullptr, nullptr) == 1);
  return path;
}

std::string Certificates::Write(const std::string& name, const std::string& text) const {
  std::ofstream(Path(name)) << text;
  return Path(name);
}

}  // namespace llm_router::test
