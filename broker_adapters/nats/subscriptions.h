// Subscriptions: what libnats is subscribed to, in force again on each new connection.
//
// Owned by the sender (sender.h); all calls on its thread. What is received goes to the intake, under the id
// of its subscription.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/nats/intake.h"
#include "broker_adapters/nats/libnats.h"

namespace llm_router::nats {

class Subscriptions {
 public:
  explicit Subscriptions(std::shared_ptr<Intake> intake) : intake_(std::move(intake)) {}

  // In force from now on where there is a connection. An empty group is none.
  void Add(uint64_t id, std::string subject, std::string group, natsConnection* connection);
  // Nothing more comes by it but what is on its way.
  void Remove(uint64_t id);
  // The same, and an arrival without a message is the last one.
  void Drain(uint64_t id);

  void BeginAll(natsConnection& connection);
  // Before a connection closes in peace: what is on its way by those that drain is handed over.
  void FinishDrains();
  // After it was closed.
  void EndAll();

 private:
  struct Tap;
  struct Subscription {
    std::string subject;
    std::string group;
    std::shared_ptr<Tap> tap;  // shared with libnats
    NatsSubscription handle;   // while connected
  };

  void Begin(uint64_t id, Subscription& subscription, natsConnection& connection);

  const std::shared_ptr<Intake> intake_;
  std::map<uint64_t, Subscription> in_force_;
  std::vector<Subscription> draining_;
};

}  // namespace llm_router::nats
