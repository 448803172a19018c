// StreamReader: the reading half of one gRPC stream as coroutines: messages one by one until the stream is
// over, then its status.
//
// Shared by who reads and by gRPC, which lets go when the stream is done. Loop thread only, but for gRPC's
// reactions. What the loop is slow to take stays, beyond an Inbox full, at the server.
#pragma once

#include <grpcpp/support/client_callback.h>

#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "broker_adapters/kubemq/connection.h"
#include "broker_adapters/kubemq/inbox.h"

namespace llm_router {

// One stream, whatever it looks like on the wire.
template <class Message>
class Reader {
 public:
  virtual ~Reader() = default;

  // Whether the server said, by `deadline`, that the subscription is in force. Nothing: it said neither.
  virtual Awaitable<std::optional<bool>> InForce(TimePoint deadline) = 0;
  // The next message, or nothing at the end of the stream or when the coroutine was cancelled.
  virtual Awaitable<std::optional<Message>> Next() = 0;
  // Why the stream ended; CANCELLED when the coroutine was cancelled.
  virtual Awaitable<grpc::Status> Outcome() = 0;
  virtual void Cancel() = 0;
};

template <class Reactor, class Wire, class Message = Wire>
class StreamReader : public Reactor,
                     public Reader<Message>,
                     public std::enable_shared_from_this<StreamReader<Reactor, Wire, Message>> {
 public:
  explicit StreamReader(Connection& connection)
      : connection_(connection),
        in_force_(connection.executor()),
        over_(connection.executor()),
        arrived_(connection.executor(), TimePoint::max()) {}

  // `begin` hands this reactor, and the context, to a method of the stub.
  template <class Begin>
  void Start(Begin begin) {
    self_ = this->shared_from_this();
    connection_.Begin(context_);
    begin(&context_);
    // Reads are resumed from the loop, outside gRPC's reactions: the hold keeps the stream until the last.
    this->AddHold();
    this->StartRead(&slot_);
    this->StartCall();
  }

  Awaitable<std::optional<bool>> InForce(TimePoint deadline) override { return in_force_.Wait(deadline); }

  Awaitable<std::optional<Message>> Next() override {
    while (!cancelled_) {
      if (ready_.empty()) Refill();
      while (!ready_.empty()) {
        Wire wire = std::move(ready_.front());
        ready_.pop_front();
        if (auto message = Accept(std::move(wire))) co_return message;
      }
      if (ended_ || co_await Cancelled()) break;
      (void)co_await arrived_.async_wait(kUseTuple);
    }
    co_return std::nullopt;
  }

  Awaitable<grpc::Status> Outcome() override {
    auto status = co_await over_.Wait(TimePoint::max());
    co_return status ? *std::move(status) : grpc::Status(grpc::StatusCode::CANCELLED, "");
  }

  void Cancel() override {
    if (std::exchange(cancelled_, true)) return;
    context_.TryCancel();
    arrived_.cancel();
    if (inbox_.paused()) Release();
  }

  void OnReadInitialMetadataDone(bool ok) override {
    Post([ok](StreamReader& self) { self.in_force_.Set(ok); });
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Post([](StreamReader& self) { self.ReadEnded(); });
    const auto added = inbox_.Add(std::exchange(slot_, Wire()));
    if (added.tell || !added.read_on) Post([](StreamReader& self) { self.Arrived(); });
    if (added.read_on) this->StartRead(&slot_);
  }
  void OnDone(const grpc::Status& status) override {
    boost::asio::post(connection_.executor(), [self = std::move(self_), status] {
      self->connection_.End(self->context_);
      self->in_force_.Set(false);
      self->over_.Set(status);
    });
  }

 protected:
  // What the wire's message is to the reader; nothing when it was for somebody else.
  virtual std::optional<Message> Accept(Wire wire) {
    if constexpr (std::is_same_v<Wire, Message>) return wire;
    return std::nullopt;
  }
  // Nothing more is read. Called once.
  virtual void ReadingOver() {}

  template <class Function>
  void Post(Function function) {
    boost::asio::post(connection_.executor(), [self = self_, function] { function(*self); });
  }

 private:
  void Refill() {
    auto taken = inbox_.Take();
    ready_ = std::move(taken.messages);
    if (!taken.read_on) return;
    if (cancelled_) {
      Release();
    } else {
      this->StartRead(&slot_);
    }
  }

  // A read that paused after Cancel had looked has nobody else to let go.
  void Arrived() {
    arrived_.cancel();
    if (cancelled_ && inbox_.paused()) Release();
  }

  void ReadEnded() {
    ended_ = true;
    arrived_.cancel();
    Release();
  }

  void Release() {
    if (std::exchange(released_, true)) return;
    ReadingOver();
    this->RemoveHold();
  }

  Connection& connection_;
  grpc::ClientContext context_;
  Wire slot_;
  Inbox<Wire> inbox_;
  std::deque<Wire> ready_;
  OneShot<bool> in_force_;
  OneShot<grpc::Status> over_;
  Timer arrived_;  // cancelled when something is there, or nothing will be
  bool ended_ = false;
  bool cancelled_ = false;
  bool released_ = false;
  std::shared_ptr<StreamReader> self_;  // held for gRPC until OnDone
};

}  // namespace llm_router
