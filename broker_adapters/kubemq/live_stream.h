// LiveStream: a subscription that is taken up again whenever it breaks, until it is closed.
//
// What queries and events have in common; the subclass takes the messages. Held by its handle (the port's
// Subscription) and by its own coroutine, so it is shared. Loop thread only.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/stream_reader.h"
#include "proto/fault.h"

namespace llm_router {

// Waits between attempts: 0.1 s, doubling to 5 s, each cut by up to a half at random so that many clients of
// one server do not come back at the same moment.
class Backoff {
 public:
  Milliseconds Next() {
    const Milliseconds full = std::exchange(wait_, std::min(wait_ * 2, Milliseconds(5'000)));
    return full - Milliseconds(std::uniform_int_distribution<int64_t>(0, full.count() / 2)(random_));
  }
  void Reset() { wait_ = Milliseconds(100); }

 private:
  Milliseconds wait_{100};
  std::minstd_rand random_{std::random_device{}()};
};

template <class Message>
class LiveStream : public std::enable_shared_from_this<LiveStream<Message>> {
 public:
  LiveStream(std::shared_ptr<Connection> connection, kubemq::Subscribe subscribe)
      : connection_(std::move(connection)),
        subscribe_(std::move(subscribe)),
        first_(connection_->executor()) {}
  virtual ~LiveStream() = default;

  // Begins, and returns once the subscription is in force (or as good as: a foreign server does not say), or
  // the server can't be reached and it goes on trying. Fails when the server refuses it.
  Awaitable<absl::Status> Open() {
    task_ = connection_->tasks().Spawn(Run(this->shared_from_this()));
    auto outcome = co_await first_.Wait(TimePoint::max());
    if (!outcome) {
      Close();
      co_return MakeFault(Fault::kCancelled, "the subscription was cancelled");
    }
    co_return *std::move(outcome);
  }

  // Takes no more. What was taken goes on.
  void Close() {
    if (std::exchange(closed_, true)) return;
    if (reader_) reader_->Cancel();
    connection_->tasks().Cancel(task_);
  }

 protected:
  // Returns when the next message may come.
  virtual Awaitable<void> Take(Message message) = 0;
  // Opens a stream; `marked`: at a server of ours. Readers are shared, for gRPC may hold them longer.
  virtual std::shared_ptr<Reader<Message>> Begin(bool marked, const kubemq::Subscribe& subscribe) = 0;
  // A stream that was in force broke.
  virtual void Lost(bool /*marked*/) {}

  Connection& connection() { return *connection_; }
  bool closed() const { return closed_; }
  std::string_view channel() const { return subscribe_.channel(); }

 private:
  static Awaitable<void> Run(std::shared_ptr<LiveStream> self) {
    while (!self->closed_ && !co_await Cancelled()) {
      const absl::Status status = co_await self->Once();
      if (self->closed_ || self->refused_) break;
      self->connection_->Forget();
      const auto level = std::exchange(self->told_, true) ? log::Level::kDebug : log::Level::kWarning;
      log::Log(level, "subscription to {} broke: {}; trying again", self->channel(), MessageOf(status));
      if (!co_await Sleep(Now() + self->backoff_.Next())) break;
    }
    self->first_.Set(MakeFault(Fault::kShuttingDown, "this process is on its way out"));
  }

  // One stream from beginning to end.
  Awaitable<absl::Status> Once() {
    const auto marked = co_await connection_->Marked();
    if (!marked.ok()) {
      const Fault fault = FaultOf(marked.status());
      refused_ = !first_.is_set() && (fault == Fault::kUnauthenticated || fault == Fault::kPermissionDenied);
      if (!closed_) first_.Set(refused_ ? marked.status() : absl::OkStatus());
      co_return marked.status();
    }
    if (closed_) co_return absl::OkStatus();
    const auto reader = Begin(*marked, subscribe_);
    reader_ = reader.get();
    const bool in_force = co_await Confirm(*reader, *marked);
    while (auto message = co_await reader->Next()) co_await Take(*std::move(message));
    reader->Cancel();
    reader_ = nullptr;
    if (in_force && !closed_) Lost(*marked);
    const grpc::Status outcome = co_await reader->Outcome();
    co_return Judge(outcome);
  }

  Awaitable<bool> Confirm(Reader<Message>& reader, bool marked) {
    // A foreign server says nothing until the first message; it refuses at once, though.
    const auto patience = marked ? std::chrono::seconds(5) : Milliseconds(300);
    const auto said = co_await reader.InForce(Now() + patience);
    const bool in_force = said.value_or(true);
    if (in_force && !closed_) {
      backoff_.Reset();
      if (std::exchange(told_, false)) log::Info("subscription to {} is back", channel());
      first_.Set(absl::OkStatus());
    }
    co_return in_force;
  }

  static bool IsRefusal(grpc::StatusCode code) {
    return code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::UNAUTHENTICATED ||
           code == grpc::StatusCode::PERMISSION_DENIED || code == grpc::StatusCode::UNIMPLEMENTED;
  }

  absl::Status Judge(const grpc::Status& outcome) {
    absl::Status status = outcome.ok()
                              ? MakeFault(Fault::kEngineUnavailable, "the server ended the subscription")
                              : connection_->ToFault(outcome);
    refused_ = !first_.is_set() && IsRefusal(outcome.error_code());
    first_.Set(refused_ ? status : absl::OkStatus());
    return status;
  }

  std::shared_ptr<Connection> connection_;  // a handle may outlive its broker
  kubemq::Subscribe subscribe_;
  OneShot<absl::Status> first_;
  Backoff backoff_;
  Reader<Message>* reader_ = nullptr;
  TaskGroup::TaskId task_ = 0;
  bool refused_ = false;
  bool told_ = false;  // the log was, that it broke
  bool closed_ = false;
};

}  // namespace llm_router
