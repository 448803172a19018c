// SecuredServer: a bare KubeMQ server that asks for a key, or speaks TLS, and writes down who called. Not our
// door: what the adapter sends is held against the wire, not against our other half.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "broker_adapters/base/tls_files.h"

namespace llm_router::test {

struct SecuredOptions {
  SecuredOptions() = default;

  std::string key;                 // asked for in every call but Ping; empty: none is
  bool ping_needs_key = false;     // or in Ping too
  bool forbids = false;            // a key that is known may do nothing
  TlsFiles tls;                    // none: plaintext
  bool wants_certificate = false;  // asks callers for one by tls.ca
};

class SecuredServer {
 public:
  explicit SecuredServer(const SecuredOptions& options);
  ~SecuredServer();

  std::string address(const std::string& host = "127.0.0.1") const;
  // The methods that were called with the right key.
  std::set<std::string> admitted() const;

 private:
  class Service;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_router::test
