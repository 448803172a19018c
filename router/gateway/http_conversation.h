// HttpConversation: what is said on one WebSocket of the HTTP gateway (http_socket.h): its streams, each a
// task, and their messages.
//
// Shared between the coroutine that listens and its streams' tasks, which may end a little later. Loop
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/waker.h"
#include "router/dialects/json_body.h"
#include "router/gateway/http_call.h"

namespace llm_router {

class HttpConversation final : public std::enable_shared_from_this<HttpConversation> {
 public:
  HttpConversation(GatewayState& state, CallerPtr caller, WebSocket& socket, std::string remote)
      : state_(state), caller_(std::move(caller)), socket_(&socket), remote_(std::move(remote)) {}

  // Until the socket's end, when its streams are left to their linger.
  Awaitable<void> Listen();

 private:
  struct Stream {
    Stream(Executor executor, std::string its_id) : id(std::move(its_id)), written(executor) {}

    const std::string id;
    DoorSpan span;
    std::string query;  // asked by it; empty: not yet, or it is one that was resumed
    TimePoint deadline;
    TaskGroup::TaskId task = 0;
    std::unique_ptr<ReplyStream> reply;  // null: not yet
    bool cancelled = false;
    bool told_position = false;
    bool is_written = true;  // its last message
    Waker written;
  };
  using StreamPtr = std::shared_ptr<Stream>;  // with its task, and with the socket that writes its messages

  void OnMessage(std::string_view text);
  absl::Status Begin(const std::string& type, Json message);
  void Cancel(const std::string& id);
  static Awaitable<void> Run(std::shared_ptr<HttpConversation> self, StreamPtr stream, std::string type,
                             Json message);
  Awaitable<void> Follow(StreamPtr kept);
  Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> Open(Stream& stream, const std::string& type,
                                                               Json message);
  Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> Ask(Stream& stream, Json message);
  DoorSpan SpanOf(const std::string& route, std::string_view traceparent) const;
  Awaitable<bool> Send(StreamPtr stream, Json message);
  void TellFailure(const std::optional<std::string>& id, const absl::Status& why);

  GatewayState& state_;
  const CallerPtr caller_;
  WebSocket* socket_;  // null: it is over
  const std::string remote_;
  std::map<std::string, StreamPtr> streams_;
};

}  // namespace llm_router
