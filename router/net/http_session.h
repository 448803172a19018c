// HttpSession: one connection of an HttpServer: reads requests, calls the handler, writes replies.
//
// Made by the server, which runs it as a task; loop thread only. Shared, because the watch for a client that
// goes away is a callback that may be under way when the session's coroutine has ended.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "router/net/http_reply_head.h"
#include "router/net/http_server.h"
#include "router/net/http_stream.h"
#include "router/net/websocket_session.h"

namespace llm_router {

// What all sessions of a server share, and outlive.
struct HttpSessionContext {
  HttpSessionContext(HttpServerOptions settings, HttpHandler callee, TaskGroup& group)
      : options(std::move(settings)), handler(std::move(callee)), tasks(group) {}

  HttpServerOptions options;
  HttpHandler handler;
  TaskGroup& tasks;         // where sessions run
  size_t unfinished = 0;    // bytes of requests that are not whole
  bool stopping = false;    // no request after the present one
  bool grace_over = false;  // what is cancelled now is ended by us
  LogLimit refusals;        // of requests that no handler saw
  LogLimit handshakes;      // those that failed
};

class HttpSession final : public HttpResponder, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpStream stream, HttpSessionContext& context);

  // The task that runs Run(), for Interrupt.
  void set_task(TaskGroup::TaskId task) { task_ = task; }

  // Serves the connection until its end; Close() then frees the socket, whatever still watches it.
  Awaitable<void> Run();
  void Close();
  // Cancels the handler, or whatever else is under way; the connection ends.
  void Interrupt() { context_.tasks.Cancel(task_); }
  // Ends a wait whose time is over.
  void Expire(TimePoint now);
  // Whether no request is under way.
  bool IsIdle() const {
    return phase_ != Phase::kHead && phase_ != Phase::kBody && phase_ != Phase::kHandler;
  }

  Awaitable<absl::Status> Send(HttpResponse response) override;
  Awaitable<absl::Status> SendHead(int status, HttpHeaders headers, std::string first) override;
  Awaitable<absl::Status> Write(std::string bytes) override;
  Awaitable<absl::Status> Finish() override;
  void Reset() override;
  Awaitable<bool> HasLastWord() override;
  absl::StatusOr<WebSocket*> Upgrade(const HttpRequest& request, WebSocketOptions options) override;

 private:
  enum class Phase { kHandshake, kIdle, kHead, kBody, kHandler, kLinger };
  enum class Sent { kNothing, kHead, kAll };

  Awaitable<bool> Handshake();
  Awaitable<void> RefusePlaintext();
  Awaitable<bool> ReadRequest();
  Awaitable<bool> ReadMore(size_t room);
  Awaitable<void> BeginBody(std::string_view expect);
  Awaitable<void> RefuseRequest(int status, std::string message);
  Awaitable<void> Handle();
  Awaitable<void> CallHandler();
  Awaitable<void> FinishWebSocket();
  Awaitable<WebSocketSession::Connection> GiveUpConnection();
  absl::Status Frame(std::string& head, std::string& bytes);
  Awaitable<absl::Status> WriteAll(std::string_view head, std::string_view body);
  Awaitable<void> Linger();

  void Enter(Phase phase, Milliseconds limit);
  void ScheduleWatch();
  void WatchIn(int turns);
  void Watch();
  void Watched(const boost::system::error_code& error, size_t count);
  Awaitable<void> EndOfWatch();
  Awaitable<void> Drain();
  HttpConnection ConnectionHeader() const;

  HttpStream stream_;
  HttpSessionContext& context_;
  TaskGroup::TaskId task_ = 0;
  std::string remote_;
  std::string unread_;  // what came and belongs to no request yet

  bool watching_ = false;           // a read into ahead_ is under way
  uint64_t watched_for_ = 0;        // the request whose client it watches
  std::array<char, 4096> ahead_{};  // of the next request, while one is handled
  Timer watched_;                   // cancelled at the end of that read

  HttpRequest request_;
  uint64_t number_ = 0;  // of the request; tells a watch that it is late
  bool head_only_ = false;
  bool version_11_ = true;
  bool keep_alive_ = true;

  Phase phase_ = Phase::kHandshake;
  TimePoint limit_ = TimePoint::max();  // when the present wait is over
  bool expired_ = false;
  size_t body_limit_ = 0;  // of the present request
  bool broken_ = false;    // nothing more can be sent: an Asio write after an error would wait for ever
  bool said_last_word_ = false;

  Sent sent_ = Sent::kNothing;
  HttpFraming framing_ = HttpFraming::kLength;
  std::optional<size_t> left_;                   // of the content-length that the handler announced
  std::shared_ptr<WebSocketSession> websocket_;  // shared with its writer; once accepted, it has the stream
};

}  // namespace llm_router
