// WebSocket: a connection of an HttpServer after its upgrade (RFC 6455), as whole messages.
//
// Got from HttpResponder::Upgrade; belongs to the connection, as the responder does. Loop thread only. Pings,
// pongs, fragments and the rules of the protocol are minded in here: who breaks them is told by a close frame
// (1002, 1007, 1009) and cut off. A connection that is silent for the idle timeout is pinged, then dropped.
// Ends when its handler does, by a closing handshake.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

struct WebSocketOptions {
  WebSocketOptions() = default;

  size_t message_limit = 32 * 1024 * 1024;                 // bytes the other side may send; above it 1009
  size_t queued_messages = 1'024;                          // ours that wait for a slow reader,
  size_t queued_bytes = 16 * 1024 * 1024;                  // and their size; one message may be larger
  Milliseconds idle_timeout = std::chrono::seconds(60);    // without a sign of life; pinged at half of it
  Milliseconds close_timeout = std::chrono::seconds(5);    // for the other side to answer a close frame
  Milliseconds write_timeout = std::chrono::seconds(300);  // for one message to go out: readers may be slow
};

struct WebSocketMessage {
  WebSocketMessage() = default;
  explicit WebSocketMessage(std::string text) : data(std::move(text)) {}

  std::string data;
  bool is_text = true;            // UTF-8; else binary
  std::function<void()> written;  // of ours: called on the loop when it went out; may be empty
};

// The close codes of RFC 6455 that a handler gives.
enum class WebSocketClose : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,  // the server stops
  kRefused = 1008,    // against a rule of ours
  kFailed = 1011,     // a fault of ours
};

class WebSocket {
 public:
  virtual ~WebSocket() = default;

  // Answers the handshake. What was queued before goes out after it. No HTTP reply can be sent any more.
  virtual Awaitable<absl::Status> Accept() = 0;

  // The next message. Failed (cancelled): the connection is at its end, whoever ended it. One call at a time.
  virtual Awaitable<absl::StatusOr<WebSocketMessage>> Receive() = 0;

  // Queues a message. False: nothing was queued, as too much waits already, or the connection is over.
  virtual bool TrySend(WebSocketMessage message) = 0;
  // The same, but waits for room. Failed (cancelled): the connection is over. One call at a time.
  virtual Awaitable<absl::Status> Send(WebSocketMessage message) = 0;

  // Ends the connection after what is queued: Receive fails from now on. Returns at once. `reason` has at
  // most 123 bytes. A later call changes nothing.
  virtual void Close(WebSocketClose code, std::string reason) = 0;
};

}  // namespace llm_router
