// The files that TLS is set up with, read and checked: who is trusted, and the certificate to show.
//
// Plain values; any thread. ReadTls blocks on disk: call it before the loop runs, or for files that are small
// and local. Its errors name the setting and the file, say what is wrong and how to mend it; no key is
// quoted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/secret.h"

namespace llm_router {

// In place of a path to a CA: whom this machine trusts anyway.
inline constexpr std::string_view kSystemCa = "system";

// Paths to PEM files; an empty one is not given.
struct TlsFiles {
  TlsFiles() = default;

  std::string ca;        // who signs the other side's certificate; or kSystemCa
  std::string cert;      // our own, followed by those between it and its CA
  std::string cert_key;  // the private key to it

  bool empty() const { return ca.empty() && cert.empty() && cert_key.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

// What errors call them: the settings that hold the paths.
struct TlsNames {
  std::string_view ca, cert, cert_key;
};

// Their content.
struct TlsPem {
  TlsPem() = default;

  std::string ca;  // empty: none was given, or kSystemCa
  std::string cert;
  Secret cert_key;
};

// Nothing when no file was given. Invalid argument: a file that can't be read or holds something else,
// a certificate without its key, a key of another certificate.
absl::StatusOr<std::optional<TlsPem>> ReadTls(const TlsFiles& files, const TlsNames& names);

}  // namespace llm_router
