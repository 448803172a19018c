#include "router/pipeline/stream_call.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/net/sse.h"
#include "router/pipeline/caller_reply.h"
#include "router/pipeline/stream_course.h"
#include "router/pipeline/write_whole.h"

namespace llm_router {
namespace {

// For the end of a body whose last frame is there.
constexpr Milliseconds kEndSoon(100);
// Turns of the loop from a sink to the socket of a gateway in the same process: the message broker delivers,
// and who reads the stream wakes up.
constexpr int kTurnsToSocket = 2;

bool IsEventStream(const HttpReply& head) {
  return HeaderOr(head.headers, "content-type").starts_with("text/event-stream");
}

Awaitable<absl::StatusOr<std::string>> ReadAll(HttpDownload& download) {
  std::string body;
  while (true) {
    CO_ASSIGN_OR_RETURN(const std::string more, co_await download.Read());
    if (more.empty()) co_return body;
    body += more;
  }
}

std::string NameOf(const Provider& provider) { return provider.simulated() ? "simulated" : provider.id(); }

class StreamedCall {
 public:
  StreamedCall(Exchange& exchange, const Dialect& theirs)
      : exchange_(exchange), provider_(*exchange.target->provider), theirs_(theirs) {}

  Awaitable<absl::StatusOr<Reply>> Run(HttpClient& http, HttpCall call) {
    const auto download = http.Begin(std::move(call));
    auto reply = co_await Receive(*download);
    if (!reply.ok() && exchange_.output_begun() && !co_await Cancelled())
      (void)co_await exchange_.sink->Write(exchange_.dialect->ErrorFrame(reply.status()));
    co_return reply;
  }

 private:
  Awaitable<absl::StatusOr<Reply>> Receive(HttpDownload& download) {
    auto head = co_await download.Head();
    if (!head.ok()) co_return Named(head.status());
    if (head->status == 200 && IsEventStream(*head)) co_return co_await Follow(download);
    auto body = co_await ReadAll(download);
    if (!body.ok()) co_return Named(body.status());
    head->body = *std::move(body);
    if (head->status != 200) co_return provider_.ClassifyFailure(*head);
    co_return co_await TakeWhole(head->body);
  }

  // A provider that can't stream, or was not told to.
  Awaitable<absl::StatusOr<Reply>> TakeWhole(const std::string& body) {
    CO_ASSIGN_OR_RETURN(const ChatReply read, provider_.ReadReply(theirs_, body));
    exchange_.usage = read.usage;
    CO_RETURN_IF_ERROR(co_await WriteWhole(exchange_, read));
    const bool same = &theirs_ == exchange_.dialect;
    co_return MakeReply(read.model, same ? body : exchange_.dialect->RenderReply(read, exchange_.warnings));
  }

  Awaitable<absl::StatusOr<Reply>> Follow(HttpDownload& download) {
    const auto course = MakeStreamCourse(exchange_, theirs_);
    SseReader reader;
    std::string frames;
    while (!course->complete()) {
      auto bytes = co_await download.Read();
      if (!bytes.ok()) co_return Named(bytes.status());
      if (bytes->empty()) co_return BrokeOff();
      absl::Status read = reader.Feed(*std::move(bytes));
      if (read.ok() && !course->has_output()) {
        read = Convert(reader, *course, frames);
        CO_RETURN_IF_ERROR(co_await Send(*course, frames));
        if (course->has_output()) co_await LetItLeave();
      }
      if (read.ok()) read = Convert(reader, *course, frames);
      CO_RETURN_IF_ERROR(co_await Send(*course, frames));
      if (!read.ok()) co_return provider_.Named(read);
    }
    co_await download.Finish(kEndSoon);
    exchange_.usage = course->usage();
    std::string whole = course->TakeWhole();
    co_return MakeReply(course->model(), std::move(whole));
  }

  // Before the rest is read.
  static Awaitable<void> LetItLeave() {
    for (int turn = 0; turn < kTurnsToSocket; ++turn) co_await boost::asio::post(kUseAwaitable);
  }

  // What is there; at the beginning of a stream, up to the first output.
  static absl::Status Convert(SseReader& reader, StreamCourse& course, std::string& frames) {
    const bool had_output = course.has_output();
    SseFrame frame;
    while (!course.complete() && course.has_output() == had_output && reader.Next(frame))
      RETURN_IF_ERROR(course.Take(frame, frames));
    return absl::OkStatus();
  }

  // Once there is output, all that is there.
  Awaitable<absl::Status> Send(const StreamCourse& course, std::string& frames) {
    if (!course.has_output() || frames.empty()) co_return absl::OkStatus();
    exchange_.BeginOutput();
    co_return co_await exchange_.sink->Write(std::exchange(frames, {}));
  }

  Reply MakeReply(const std::string& model, std::string body) {
    return MakeCallerReply(exchange_, NameOf(provider_), model.empty() ? exchange_.target->model : model,
                           exchange_.usage, std::move(body));
  }

  absl::Status Named(const absl::Status& failure) const {
    return Annotate(failure, fmt::format("provider {}", provider_.id()));
  }
  absl::Status BrokeOff() const {
    return MakeFault(
        Fault::kProviderUnreachable,
        fmt::format("provider {} broke off its reply before the end: try again", provider_.id()));
  }

  Exchange& exchange_;
  const Provider& provider_;
  const Dialect& theirs_;
};

}  // namespace

Awaitable<absl::StatusOr<Reply>> StreamCall(HttpClient& http, Exchange& exchange, const Dialect& theirs,
                                            HttpCall call) {
  StreamedCall streamed(exchange, theirs);
  co_return co_await streamed.Run(http, std::move(call));
}

}  // namespace llm_router
