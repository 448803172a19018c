// The kubemq engine: a client of any KubeMQ server, our own door or a foreign one, over gRPC.
//
// Connects by itself and goes on trying; subscriptions are taken up again after every break, 0.1 s to 5 s
// apart. An unreachable server makes Request fail with engine_unavailable, and Serve and Subscribe return a
// subscription that begins when the server is there; only what the server refuses fails. Publish keeps the
// order of events, and holds up to 10,000 of them for 10 s while there is no connection.
//
// A server that refuses the key, or asks for one, fails Request, and Serve and Subscribe unless they had been
// in force before: faults unauthenticated and permission_denied. A server whose certificate is not trusted
// counts as unreachable, and the error says why.
//
// Where the server's Ping bears our door's mark, Serve asks for no more than its capacity and Drain loses
// nothing; caps() says so from the first connection on, and how well the server's queues keep. Queues:
// remote_queues.h. Loop thread only; `co_await Stop()` before destruction.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker_adapters/base/secret.h"
#include "broker_adapters/base/tls_files.h"
#include "broker_adapters/broker.h"

namespace llm_router {

struct KubemqOptions {
  KubemqOptions() = default;

  std::string address;        // host:port
  std::string client_id;      // empty: a random one
  Secret key;                 // given with every call, as KubeMQ's SDKs do; empty: none
  std::optional<TlsPem> tls;  // none: plaintext
  size_t max_body = 32 * 1024 * 1024;
};

std::unique_ptr<Broker> MakeKubemqBroker(Executor executor, KubemqOptions options);

}  // namespace llm_router
