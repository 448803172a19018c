#include "router/gateway/http_stream_reply.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_foreign.h"
#include "router/gateway/http_query.h"
#include "router/net/sse.h"

namespace llm_router {
namespace {

// Whether the last frame of `piece` says that the stream failed.
bool EndsInFailure(std::string_view piece) {
  if (piece.size() < 4) return false;
  const size_t end = piece.rfind("\n\n", piece.size() - 3);
  const std::string_view last = piece.substr(end == piece.npos ? 0 : end + 2);
  return last.starts_with("event: error") || last.starts_with(R"(data: {"error")");
}

class StreamReply {
 public:
  StreamReply(GatewayCall& call, ReplyStream& stream) : call_(call), stream_(stream) {}

  // Passes on what comes; false: cancelled, or the client is gone.
  Awaitable<bool> Run() {
    while (true) {
      auto piece = co_await stream_.Next(Now() + call_.state.options.ping_every);
      if (co_await Cancelled()) co_return false;
      if (!piece) break;
      if (!piece->empty()) told_failure_ = EndsInFailure(*piece);
      has_pieces_ = has_pieces_ || !piece->empty();
      if (!co_await Write(piece->empty() ? PingFrame(call_.dialect) : *std::move(piece))) co_return false;
    }
    auto reply = co_await stream_.AwaitReply();
    if (co_await Cancelled()) co_return false;
    co_return co_await End(std::move(reply));
  }

  // Ends it as the worker did, or as we must.
  Awaitable<bool> End(absl::StatusOr<Reply> reply) {
    absl::Status why = FailureOfReply(reply);
    if (why.ok() && !stream_.is_whole())
      why = MakeFault(Fault::kWorkerLost, "a part of the reply was lost on its way: ask again");
    ++(why.ok() ? call_.state.stats.executed : call_.state.stats.failed);
    // Who knows nothing of streams has answered all the same.
    if (why.ok() && !has_pieces_) {
      DressText(call_.dialect, call_.model, *reply);
      const auto events = AsEvents(call_.dialect, reply->message.body);
      if (events && !co_await Write(*events)) co_return false;
    }
    if (!has_head_) {
      if (!why.ok() && reply.ok() && reply->executed) reply = why;
      co_await SendReply(call_, std::move(reply));
      co_return true;
    }
    TellSpan(call_, why, 200);
    if (!why.ok() && !told_failure_ && !co_await Write(ErrorFrame(why))) co_return false;
    co_return (co_await call_.responder.Finish()).ok();
  }

 private:
  Awaitable<bool> Write(std::string bytes) {
    HttpResponder& responder = call_.responder;
    if (std::exchange(has_head_, true)) co_return (co_await responder.Write(std::move(bytes))).ok();
    co_return (co_await responder.SendHead(200, EventStreamHeaders(call_), std::move(bytes))).ok();
  }

  std::string ErrorFrame(const absl::Status& why) const {
    const Dialect* dialect = FindDialect(call_.dialect);
    return dialect != nullptr ? dialect->ErrorFrame(why) : SseText("", FailureBody(call_, why));
  }

  GatewayCall& call_;
  ReplyStream& stream_;
  bool has_head_ = false;
  bool has_pieces_ = false;
  bool told_failure_ = false;  // by the worker, as the last that came
};

}  // namespace

std::string PingFrame(std::string_view dialect) {
  if (dialect == contract::dialect::kAnthropicMessages) return SseText("ping", R"({"type": "ping"})");
  return ": ping\n\n";
}

HttpHeaders EventStreamHeaders(const GatewayCall& call) {
  HttpHeaders headers = UsualHeaders(call);
  headers.emplace_back("content-type", "text/event-stream");
  headers.emplace_back("cache-control", "no-cache");
  headers.emplace_back("x-accel-buffering", "no");
  return headers;
}

Awaitable<void> AskStream(GatewayCall& call, Query query, Milliseconds linger) {
  query.message.tags[std::string(contract::tag::kWhole)] = "no";
  const std::string id = query.message.id;
  const TimePoint deadline = query.deadline;
  auto stream = co_await call.state.streams.Ask(std::move(query), linger);
  if (!stream.ok()) co_return co_await SendFailure(call, stream.status());
  StreamReply reply(call, **stream);
  if (co_await reply.Run()) co_return;
  TellGone(call.state.broker, id, call.caller->tenant, deadline);
  if (co_await call.responder.HasLastWord()) {
    (void)co_await reply.End(DoorCloses());
  } else {
    ++call.state.stats.cancelled;
  }
}

}  // namespace llm_router
