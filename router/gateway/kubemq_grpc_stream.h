// SubscriberStream: one server stream of a subscriber: what it is given, and an end that is never OK.
//
// gRPC's threads only post; the rest is the loop's. Shared by gRPC until OnDone, by the door until the end,
// and by what the broker calls.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/outbox.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_access.h"
#include "router/gateway/kubemq_grpc_state.h"

namespace llm_router {

// An error text of KubeMQ's, as the wire carries them.
inline grpc::Status Refusal(std::string_view text) {
  return grpc::Status(grpc::StatusCode::INTERNAL, std::string(text));
}
// A refusal for want of a key or of access, or else an error text.
inline grpc::Status Refusal(const absl::Status& why) {
  const Fault fault = FaultOf(why);
  if (fault == Fault::kUnauthenticated)
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, DenialText(why));
  if (fault == Fault::kPermissionDenied)
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, DenialText(why));
  return Refusal(MessageOf(why));
}
inline grpc::Status NotReady() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, std::string(kubemq_text::kNotReady));
}

template <class Reactor, class Wire>
class SubscriberStream : public Reactor,
                         public DoorStream,
                         public std::enable_shared_from_this<SubscriberStream<Reactor, Wire>> {
 public:
  explicit SubscriberStream(std::shared_ptr<DoorState> state)
      : state_(std::move(state)), outbox_([this](const Wire* message, grpc::WriteOptions options) {
          this->StartWrite(message, options);
        }) {}

  // Begins; on gRPC's thread. From here on gRPC holds it.
  void Accept() {
    Hold();
    Begin();
  }

  void End(const grpc::Status& status) override {
    if (std::exchange(ended_, true)) return;
    state_->tasks.Cancel(task_);
    LetGo();
    state_->Remove(this);
    outbox_.Close([this, status] { this->Finish(status); });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) Post([](SubscriberStream& self) { self.End(grpc::Status::CANCELLED); });
    outbox_.Written(ok);
  }
  void OnCancel() override {
    Post([](SubscriberStream& self) { self.End(grpc::Status::CANCELLED); });
  }
  void OnDone() override { self_.reset(); }

 protected:
  // The two halves of Accept, for a stream that has something to read first.
  void Hold() { self_ = this->shared_from_this(); }
  void Begin() {
    Post([](SubscriberStream& self) { self.Join(); });
  }

  // Subscribes at the broker; Confirm or End follows.
  virtual Awaitable<void> Subscribe(std::shared_ptr<SubscriberStream> self) = 0;
  // Gives the broker's subscription back.
  virtual void LetGo() = 0;

  // Tells the subscriber that it is in force.
  void Confirm() {
    if (!ended_) this->StartSendInitialMetadata();
  }

  // `bytes`: of the message's body.
  void Push(Wire message, size_t bytes) {
    if (!ended_) outbox_.Push(std::move(message), bytes);
  }

  // Runs `function` on the loop with this stream, which stays until then.
  template <class Function>
  void Post(Function function) {
    state_->loop.Post([self = self_, function = std::move(function)] { function(*self); });
  }

  DoorState& state() const { return *state_; }
  bool ended() const { return ended_; }
  Outbox<Wire>& outbox() { return outbox_; }

 private:
  void Join() {
    if (ended_) return;
    if (state_->server->refusing()) return End(NotReady());
    if (!state_->Add(this->shared_from_this())) {
      return End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                              "too many subscriptions: use fewer, or close some"));
    }
    task_ = state_->tasks.Spawn(Subscribe(this->shared_from_this()));
  }

  std::shared_ptr<DoorState> state_;
  Outbox<Wire> outbox_;
  bool ended_ = false;
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
