// Certificates: a CA made for one test, and what it signs, as PEM files in a folder that goes with it.
#pragma once

#include <filesystem>
#include <string>

#include "broker_adapters/base/tls_files.h"

namespace llm_router::test {

struct Wanted {
  Wanted() = default;

  std::string names = "DNS:localhost,IP:127.0.0.1";
  int days = 1;  // from now on; below 0: expired already
};

class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // The CA's own certificate.
  std::string ca() const { return Path("ca.pem"); }
  // A certificate and its key, in NAME.pem and NAME.key, and beside them this CA. Replaces those of that
  // name.
  TlsFiles Issue(const std::string& name, const Wanted& wanted = {}) const;
  // A copy of a private key that asks for a passphrase.
  std::string Encrypted(const std::string& key_path) const;
  // A file with that text.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

}  // namespace llm_router::test
