// KubemqRest: KubeMQ's REST and WebSocket API on port 9090, over any broker, and `POST /model`, the plainest
// door there is.
//
// GET `/` `hi`, `/ping`; POST `/send/request`, `/send/event`, `/send/response`; WebSockets
// `/subscribe/events`, `/subscribe/requests`, `/send/stream`. Replies stand in {"is_error", "message",
// "data"}; texts and order of refusals are KubeMQ community server v2.4.0's, as the gRPC door's are (HTTP 400
// here). Queues, and stored events where the broker has none, are answered 501. A subscriber of requests
// answers by POST
// `/send/response`, or by any other KubeMQ door, with the reply channel that it was shown.
//
// Web pages are kept out: POST takes application/json alone, no CORS header is sent, and a WebSocket from a
// page of another origin is refused.
//
// A call's key comes as `Authorization: Bearer KEY`, or `x-api-key: KEY`: without a known one it is answered
// 401, and 403 where the key's access does not go (access_rules.h). `/` and `/ping` need none.
//
// Owned by the composition root; loop thread only. `co_await Stop()` after the KubemqServer's and before
// destruction.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/kubemq_server.h"
#include "router/net/http_server.h"

namespace llm_router {

struct KubemqRestOptions {
  KubemqRestOptions() = default;

  std::string host = "127.0.0.1";
  int port = 9090;                 // 0: any free one
  const ServerTls* tls = nullptr;  // outlives the door; none: plaintext
  size_t max_connections = 10'000;
  Milliseconds websocket_idle = std::chrono::seconds(60);  // without a sign of life
  size_t queued_events = 1'024;                            // of a subscriber too slow to take them
};

class KubemqRest {
 public:
  // Listens. An error names the setting.
  static absl::StatusOr<std::unique_ptr<KubemqRest>> Start(std::shared_ptr<KubemqServer> server,
                                                           KubemqRestOptions options);
  virtual ~KubemqRest() = default;

  virtual int port() const = 0;
  virtual DoorStats stats() const = 0;

  // Answers one request to another HTTP server of ours, which stops before this door is destroyed.
  virtual Awaitable<void> Answer(HttpRequest& request, HttpResponder& responder) = 0;

  // Closes the WebSockets (1008) of callers whose keys are no longer configured as they were.
  virtual void EndRevoked() = 0;

  // Closes the WebSockets (1001), lets replies under way go out, and closes.
  virtual Awaitable<void> Stop() = 0;
};

// Bytes that an HTTP body may have which holds a message with a body of `max_body`, in base64 or as text.
constexpr size_t RestBodyLimit(size_t max_body) { return max_body / 3 * 4 + 1024 * 1024; }

}  // namespace llm_router
