// The nats engine: a client of NATS servers, over libnats.
//
// Queries and commands are requests to queue groups, events are plain publications, queues are JetStream
// streams of their own (queues.h). Connects by itself and goes on trying. Request waits up to 5 s for a
// connection that is not there, then fails with engine_unavailable, or with unauthenticated where the servers
// refuse us; what waits for an answer when the connection breaks fails at once. Serve and Subscribe return a
// subscription that is taken up again after every break. Publish keeps the order of events, and drops what
// could not be sent for 10 s.
//
// A query that finds nobody is asked again until its deadline, so a restart of its workers costs it nothing.
// A caller that goes away cancels its query at who runs it. Which member of a group gets a query is the
// server's choice, at random.
//
// caps(): max_body is what the server's max_payload leaves beside the headers, queues need JetStream; both
// are known from the first connection on. Loop thread only; `co_await Stop()` before destruction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/base/secret.h"
#include "broker_adapters/base/tls_files.h"
#include "broker_adapters/broker.h"

namespace llm_router {

struct NatsOptions {
  NatsOptions() = default;

  std::vector<std::string> servers;  // host:port, of one cluster
  std::string client_id;             // empty: a random one
  // How we show who we are; at most one of the three ways.
  std::string user;
  Secret password;
  Secret token;
  std::string creds;          // a file with a JWT and its seed
  std::optional<TlsPem> tls;  // none: plaintext, unless a server asks for TLS
  size_t max_body = 32 * 1024 * 1024;
  // Of the streams that queues are kept in, when we make them.
  int replicas = 1;
  bool in_memory = false;
};

std::unique_ptr<Broker> MakeNatsBroker(Executor executor, NatsOptions options);

}  // namespace llm_router
