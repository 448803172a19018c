// SubscriberStream: one server stream of a subscriber: a queue, one write outstanding, an end that is never
// OK.
//
// gRPC's threads only post; the rest is the loop's. Shared by gRPC until OnDone, by the door until the end,
// and by what the broker calls.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <utility>

#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_grpc_state.h"

namespace llm_router {

// An error text of KubeMQ's, as the wire carries them.
inline grpc::Status Refusal(std::string_view text) {
  return grpc::Status(grpc::StatusCode::INTERNAL, std::string(text));
}
inline grpc::Status NotReady() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, std::string(kubemq_text::kNotReady));
}

template <class Wire>
class SubscriberStream : public grpc::ServerWriteReactor<Wire>,
                         public DoorStream,
                         public std::enable_shared_from_this<SubscriberStream<Wire>> {
 public:
  SubscriberStream(std::shared_ptr<DoorState> state, const kubemq::Subscribe& subscribe)
      : state_(std::move(state)), subscribe_(subscribe) {}

  // Begins; on gRPC's thread. From here on gRPC holds it.
  void Accept() {
    self_ = this->shared_from_this();
    state_->loop.Post([self = self_] { self->Join(); });
  }

  void End(const grpc::Status& status) override {
    if (std::exchange(ended_, true)) return;
    end_ = status;
    queue_.clear();
    queued_bytes_ = 0;
    state_->tasks.Cancel(task_);
    LetGo();
    state_->Remove(this);
    if (!writing_) this->Finish(end_);
  }

  void OnWriteDone(bool ok) override {
    state_->loop.Post([self = self_, ok] { self->WriteEnded(ok); });
  }
  void OnCancel() override {
    state_->loop.Post([self = self_] { self->End(grpc::Status::CANCELLED); });
  }
  void OnDone() override { self_.reset(); }

 protected:
  // Subscribes at the broker; Confirm or End follows.
  virtual Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) = 0;
  // Gives the broker's subscription back.
  virtual void LetGo() = 0;
  // Whether what was queued is still of use to anybody.
  virtual bool IsWanted(const Wire& /*message*/) const { return true; }
  virtual void Written(const Wire& /*message*/) {}

  // Tells the subscriber that it is in force.
  void Confirm() {
    if (!ended_) this->StartSendInitialMetadata();
  }

  void Push(Wire message) {
    if (ended_) return;
    queued_bytes_ += message.body().size();
    queue_.push_back(std::move(message));
    if (!writing_) WriteNext();
  }

  DoorState& state() const { return *state_; }
  const kubemq::Subscribe& subscribe() const { return subscribe_; }
  bool ended() const { return ended_; }
  size_t queued() const { return queue_.size(); }
  size_t queued_bytes() const { return queued_bytes_; }

 private:
  void Join() {
    if (ended_) return;
    if (state_->stopping) return End(NotReady());
    if (!state_->Add(this->shared_from_this())) {
      return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                              "too many subscriptions: use fewer, or close some"));
    }
    task_ = state_->tasks.Spawn(Subscribe(this->shared_from_this()));
  }

  void WriteNext() {
    while (!queue_.empty()) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= current_.body().size();
      if (!IsWanted(current_)) continue;
      Written(current_);
      writing_ = true;
      grpc::WriteOptions options;
      // Only while more is queued: a hint on the last one would hold it back for ever.
      if (!queue_.empty()) options.set_buffer_hint();
      this->StartWrite(&current_, options);
      return;
    }
  }

  void WriteEnded(bool ok) {
    writing_ = false;
    if (ended_) {
      this->Finish(end_);
    } else if (!ok) {
      End(grpc::Status::CANCELLED);
    } else {
      WriteNext();
    }
  }

  std::shared_ptr<DoorState> state_;
  kubemq::Subscribe subscribe_;
  std::deque<Wire> queue_;
  size_t queued_bytes_ = 0;
  Wire current_;
  bool writing_ = false;
  bool ended_ = false;
  grpc::Status end_;
  TaskGroup::TaskId task_ = 0;
  std::shared_ptr<SubscriberStream> self_;  // held for gRPC until OnDone
};

// A stream that is refused before it begins; owns itself until gRPC is done with it.
template <class Wire>
class RefusedStream final : public grpc::ServerWriteReactor<Wire> {
 public:
  explicit RefusedStream(grpc::Status status) { this->Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

template <class In, class Out>
class RefusedExchange final : public grpc::ServerBidiReactor<In, Out> {
 public:
  explicit RefusedExchange(grpc::Status status) { this->Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

}  // namespace llm_router
