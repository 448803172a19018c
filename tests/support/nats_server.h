// NatsServer: a nats-server of a test's own, on a free port of this machine and in a folder of its own; ended
// with it, or with the program.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/temporary_folder.h"

namespace llm_router::test {

class NatsServer {
 public:
  // With JetStream, and with what `config` adds. Throws where it does not start.
  explicit NatsServer(const std::string& config = "");
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  // Whether the program is here at all.
  static bool IsHere();

  int port() const { return port_; }
  std::string address() const;
  // Where it shows its own figures, when `config` has it (http: "127.0.0.1:-1"); else -1.
  int monitoring_port() const { return monitoring_port_; }
  // Ends the process as a crash would; Start begins another on the same port and files.
  void Kill();
  void Start();

 private:
  void AwaitPort();

  const TemporaryFolder folder_;
  const std::string config_;
  int port_ = -1;
  int monitoring_port_ = -1;
  pid_t pid_ = -1;
};

}  // namespace llm_router::test
