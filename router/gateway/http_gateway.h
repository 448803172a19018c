// HttpGateway: the HTTP API of OpenAI and Anthropic on port 4000, over any broker: a program written for
// either works by changing its base URL.
//
// What it answers is one table (http_endpoints.cc). The model of a request picks its route, as every door
// does (contract::ResolveModel), among those that the living workers serve and the caller's key may use. Each
// caller gets errors in the shape of the API that it speaks. A call's key comes as `Authorization: Bearer
// KEY`, or `x-api-key: KEY`.
//
// A client that goes away takes its query with it. Web pages of other origins are kept out, but for those
// that the setting http.cors names.
//
// Owned by the composition root; loop thread only. `co_await Stop()` before destruction, and before the
// broker's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/gateway/access.h"
#include "router/gateway/door_stats.h"
#include "router/net/server_tls.h"

namespace llm_router {

class Tracer;

struct HttpGatewayOptions {
  HttpGatewayOptions() = default;

  std::string host = "127.0.0.1";
  int port = 4000;                 // 0: any free one
  const ServerTls* tls = nullptr;  // outlives the door; none: plaintext
  size_t max_connections = 10'000;
  size_t max_body = 32 * 1024 * 1024;  // bytes of a request
  // Whose calls are let in. Shared with the other doors.
  std::shared_ptr<Access> access = std::make_shared<Access>();
  std::vector<std::string> cors;  // origins of web pages that may call; "*": any
  Tracer* tracer = nullptr;       // outlives the door; none: nothing is traced
  // How long a stream waits for its first piece before its head goes out, and then between two pings.
  Milliseconds ping_every = std::chrono::seconds(15);
  Milliseconds websocket_idle = std::chrono::seconds(60);  // without a sign of life
};

class HttpGateway {
 public:
  // Listens, and hears the workers' heartbeats from now on. An error names the setting.
  static absl::StatusOr<std::unique_ptr<HttpGateway>> Start(Executor executor, Broker& broker,
                                                            HttpGatewayOptions options);
  virtual ~HttpGateway() = default;

  virtual int port() const = 0;
  virtual DoorStats stats() const = 0;

  // Closes the WebSockets (1008) of callers whose keys are no longer configured as they were.
  virtual void EndRevoked() = 0;

  // Takes no more requests, ends what follows jobs and the WebSockets (1001), lets the other requests under
  // way finish within `grace`, and tells the rest that it is shutting down: by an error or, in a stream, by
  // an error frame.
  virtual Awaitable<void> Stop(Milliseconds grace) = 0;
};

}  // namespace llm_router
