// Sender: the one thread that calls libnats: it connects, publishes and subscribes, in the order it is told.
//
// libnats blocks while it connects, and while the server does not take what is written. Owned by the
// connection (connection.h); all calls on the loop thread, `co_await Stop()` before destruction. What is
// received goes to the intake; that the connection is there, or gone, is posted to the loop.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

#include "absl/status/status.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/nats/intake.h"
#include "broker_adapters/nats/libnats.h"
#include "broker_adapters/nats/subscriptions.h"
#include "broker_adapters/nats/wire_message.h"

namespace llm_router::nats {

class Sender {
 public:
  // On the loop.
  struct Calls {
    std::function<void(size_t max_payload)> up;
    std::function<void(absl::Status why)> down;  // also when it could not connect
  };
  Sender(Executor executor, NatsOptions options, std::shared_ptr<Intake> intake, Calls calls);
  ~Sender();

  // Publishes, unless it could not until then: an arrival at `message.reply` with kNotSent says so to
  // subscription `told`. False when more waits than is held already: 100,000 messages or 64 MB.
  bool Publish(WireMessage message, TimePoint until, uint64_t told);
  // In force from now on, or when there is a connection, and again after each break. An empty group is none.
  void Subscribe(uint64_t id, std::string subject, std::string group);
  // Nothing more comes by it but what is on its way.
  void Unsubscribe(uint64_t id);
  // The same, and an arrival without a message is the last one.
  void Drain(uint64_t id);

  // Sends what waits, where there is a connection; then closes it.
  Awaitable<void> Stop();

 private:
  struct End;
  struct Watch;
  struct Publication {
    WireMessage message;
    TimePoint until;
    uint64_t told = 0;
  };
  using Task = std::variant<Publication, std::function<void()>>;

  void Push(std::function<void()> work);
  void Run();
  bool Connect();
  void Disconnect();
  void DoAll(std::deque<Task> tasks);
  void Send(const Publication& publication);
  void Tell(std::function<void(const Calls&)> call);

  const Executor executor_;
  const NatsOptions options_;
  const std::shared_ptr<Intake> intake_;
  std::shared_ptr<const Calls> calls_;  // shared with what is posted to the loop
  // The thread's own.
  NatsConnection connection_;
  std::shared_ptr<Watch> watch_;  // shared with libnats
  Subscriptions subscriptions_;
  std::string last_failure_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  size_t bytes_ = 0;   // of what is to be published
  bool lost_ = false;  // libnats gave the connection up
  bool stopping_ = false;
  std::shared_ptr<End> end_;  // shared with the last word of the thread
  std::thread thread_;
};

}  // namespace llm_router::nats
