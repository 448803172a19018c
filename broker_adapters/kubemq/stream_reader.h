// StreamReader: one subscription stream as coroutines: messages one by one until the stream is over, then its
// status.
//
// Shared by who reads and by gRPC, which lets go when the stream is done. Loop thread only; gRPC's threads
// just post. Reads one message ahead; gRPC's flow control holds the rest at the server.
#pragma once

#include <grpcpp/support/client_callback.h>

#include <memory>
#include <optional>
#include <utility>

#include "broker_adapters/kubemq/connection.h"

namespace llm_router {

template <class Wire>
class StreamReader : public grpc::ClientReadReactor<Wire>,
                     public std::enable_shared_from_this<StreamReader<Wire>> {
 public:
  explicit StreamReader(Connection& connection)
      : connection_(connection),
        in_force_(connection.executor()),
        over_(connection.executor()),
        read_(std::in_place, connection.executor()) {}

  grpc::ClientContext& context() { return context_; }

  // `begin` hands this reactor to a method of the stub. `subscribe` lives here as long as gRPC needs it.
  template <class Begin>
  void Start(kubemq::Subscribe subscribe, Begin begin) {
    subscribe_ = std::move(subscribe);
    self_ = this->shared_from_this();
    connection_.in_flight().Add(&context_);
    begin(&context_, &subscribe_, this);
    // Reads are started from the loop, outside gRPC's reactions: the hold keeps the stream until the last.
    this->AddHold();
    this->StartRead(&slot_);
    this->StartCall();
  }

  // Whether the server said, by `deadline`, that the subscription is in force. Nothing: it said neither.
  Awaitable<std::optional<bool>> InForce(TimePoint deadline) { return in_force_.Wait(deadline); }

  // The next message, or nothing at the end of the stream or when the coroutine was cancelled.
  Awaitable<std::optional<Wire>> Next() {
    const auto got = co_await read_->Wait(TimePoint::max());
    if (!got || !*got) co_return std::nullopt;
    std::optional<Wire> message(std::move(slot_));
    slot_ = Wire();
    read_.emplace(connection_.executor());
    if (cancelled_) {
      read_->Set(false);
    } else {
      reading_ = true;
      this->StartRead(&slot_);
    }
    co_return message;
  }

  // Why the stream ended; CANCELLED when the coroutine was cancelled.
  Awaitable<grpc::Status> Outcome() {
    auto status = co_await over_.Wait(TimePoint::max());
    co_return status ? *std::move(status) : grpc::Status(grpc::StatusCode::CANCELLED, "");
  }

  void Cancel() {
    if (std::exchange(cancelled_, true)) return;
    context_.TryCancel();
    if (!reading_) Release();
  }

  void OnReadInitialMetadataDone(bool ok) override {
    Post([ok](StreamReader& self) { self.in_force_.Set(ok); });
  }
  void OnReadDone(bool ok) override {
    Post([ok](StreamReader& self) { self.ReadEnded(ok); });
  }
  void OnDone(const grpc::Status& status) override {
    boost::asio::post(connection_.executor(), [self = std::move(self_), status] {
      self->connection_.in_flight().Remove(&self->context_);
      self->in_force_.Set(false);
      self->over_.Set(status);
    });
  }

 private:
  template <class Function>
  void Post(Function function) {
    boost::asio::post(connection_.executor(), [self = self_, function] { function(*self); });
  }

  void ReadEnded(bool ok) {
    reading_ = false;
    if (!ok || cancelled_) Release();
    read_->Set(ok && !cancelled_);
  }

  void Release() {
    if (!std::exchange(released_, true)) this->RemoveHold();
  }

  Connection& connection_;
  grpc::ClientContext context_;
  kubemq::Subscribe subscribe_;
  Wire slot_;
  OneShot<bool> in_force_;
  OneShot<grpc::Status> over_;
  std::optional<OneShot<bool>> read_;
  bool reading_ = true;
  bool cancelled_ = false;
  bool released_ = false;
  std::shared_ptr<StreamReader> self_;  // held for gRPC until OnDone
};

}  // namespace llm_router
