// Server: what a client meets, in this process: the KubeMQ door over an embedded broker, on a free port, with
// handlers of the test as workers. It has a loop thread of its own; call it from the test's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/broker.h"
#include "proto/contract.h"

namespace llm_router::client {

class Server {
 public:
  // Port 0: any free one.
  explicit Server(int port = 0);
  ~Server();

  int port() const;
  std::string address() const;

  // A worker on `route` that answers with `handler`, and whose heartbeats say so.
  void Serve(const std::string& route, QueryHandler handler);
  // A subscriber of the channel `llm_jobs`, as a jobs service has it.
  void ServeJobs(QueryHandler handler);
  // A worker on `route` whose text replies repeat what it was asked.
  void ServeEcho(const std::string& route);
  // The heartbeats of one more worker that says it serves these, as long as the server lives.
  void Beat(const std::vector<std::string>& routes);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A port of this machine that nobody listens on.
int UnusedPort();

// {"response": "<system>|<text>", "model", "provider": "test"} with the tags a worker sets.
Reply EchoOf(const Query& query);

}  // namespace llm_router::client
