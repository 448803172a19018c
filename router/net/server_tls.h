// ServerTls: the certificate that our doors show, and the CA of the callers that they let in.
//
// Read when the process starts, and again when one of its files changes: a new certificate is for the
// connections made from then on, one that can't be used is logged and leaves the old one in force. TLS 1.2
// and 1.3, with forward secrecy. Owned by the composition root, outlives the doors. `current` may be called
// by any thread.
#pragma once

#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/tls_files.h"

namespace boost::asio::ssl {
class context;
}

namespace llm_router {

class ServerTls {
 public:
  // What one version of the files says. Shared by the connections that were made under it.
  struct Identity {
    Identity() = default;

    TlsPem pem;  // for gRPC; `ca`: callers show a certificate that it signed, or are refused; empty: none is
                 // asked for
    std::shared_ptr<boost::asio::ssl::context> context;  // the same, for Asio
  };

  // Blocks on disk. Null when `files` names none; in `files`, `ca` is the CA of callers. Invalid argument:
  // what ReadTls refuses, and a certificate that no handshake could use.
  static absl::StatusOr<std::unique_ptr<ServerTls>> Load(const TlsFiles& files, const TlsNames& names);

  // Follows the files until cancelled: a task for the loop.
  Awaitable<void> Watch();
  // Reads them anew. False, after a word in the log, when they can't be used.
  bool Reload();

  std::shared_ptr<const Identity> current() const;

 private:
  ServerTls(TlsFiles files, TlsNames names, std::shared_ptr<const Identity> identity);

  const TlsFiles files_;
  const TlsNames names_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Identity> identity_;
};

}  // namespace llm_router
