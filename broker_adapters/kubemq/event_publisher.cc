#include "broker_adapters/kubemq/event_publisher.h"

#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/kubemq/live_stream.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMaxWaiting = 10'000;
constexpr size_t kMaxBytes = 64 * 1024 * 1024;
constexpr auto kLifetime = std::chrono::seconds(10);
constexpr auto kFlushPatience = std::chrono::seconds(1);

}  // namespace

absl::Status EventPublisher::Publish(kubemq::Event event) {
  if (flushing_) return MakeFault(Fault::kShuttingDown, "this process is on its way out");
  if (waiting_.size() >= kMaxWaiting || bytes_ >= kMaxBytes) {
    return MakeFault(Fault::kOverloaded,
                     "too many events wait for the server: send fewer, or find out why it "
                     "does not take them");
  }
  bytes_ += event.body().size();
  waiting_.emplace_back(std::move(event), Now() + kLifetime);
  if (!std::exchange(running_, true)) connection_.tasks().Spawn(Run());
  if (wake_) wake_->Set(true);
  return absl::OkStatus();
}

Awaitable<void> EventPublisher::Run() {
  Backoff backoff;
  while (!co_await Cancelled() && !(flushing_ && waiting_.empty())) {
    // gRPC may hold it longer than this coroutine, so it is shared.
    const auto writer = std::make_shared<EventWriter>(connection_);
    writer->Start();
    co_await Drain(*writer);
    const bool proven = writer->proven();
    co_await writer->Finish(Now() + kFlushPatience);
    if (proven) backoff.Reset();
    if (flushing_ && !proven) break;
    if (!proven && !waiting_.empty()) (void)co_await Sleep(Now() + backoff.Next());
    DropExpired();
    if (waiting_.empty()) break;
  }
  running_ = false;
  if (flushed_) flushed_->Set(true);
}

// Writes until the stream breaks or the last event of a flush is out.
Awaitable<void> EventPublisher::Drain(EventWriter& writer) {
  while (!co_await Cancelled()) {
    if (waiting_.empty()) {
      if (flushing_) co_return;
      wake_.emplace(connection_.executor());
      (void)co_await wake_->Wait(TimePoint::max());
      wake_.reset();
      continue;
    }
    const auto written = co_await writer.Write(waiting_.front().event, waiting_.size() > 1);
    // What was under way when a stream broke may have arrived, and an event is sent at most once.
    if (written != EventWriter::Written::kNo) Pop();
    if (written != EventWriter::Written::kYes) co_return;
  }
}

void EventPublisher::Pop() {
  if (waiting_.empty()) return;
  bytes_ -= waiting_.front().event.body().size();
  waiting_.pop_front();
}

void EventPublisher::DropExpired() {
  size_t dropped = 0;
  for (; !waiting_.empty() && waiting_.front().expires < Now(); ++dropped) Pop();
  if (dropped > 0) log::Warning("{} events were dropped: no connection to the server", dropped);
}

Awaitable<void> EventPublisher::Flush() {
  flushing_ = true;
  if (wake_) wake_->Set(true);
  if (!running_) co_return;
  flushed_.emplace(connection_.executor());
  (void)co_await flushed_->Wait(Now() + kFlushPatience);
  flushed_.reset();
}

}  // namespace llm_router
