#include "broker_adapters/nats/subscriptions.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "broker_adapters/base/clock.h"
#include "broker_adapters/base/log.h"

namespace llm_router::nats {
namespace {

constexpr int64_t kDrainMs = 60'000;
constexpr Milliseconds kLastDrain(2'000);

}  // namespace

// Where one subscription's messages go. libnats deletes its share when nothing more comes.
struct Subscriptions::Tap {
  Tap(uint64_t its_id, std::shared_ptr<Intake> its_intake) : id(its_id), intake(std::move(its_intake)) {}

  const uint64_t id;
  const std::shared_ptr<Intake> intake;  // shared with the connection
  std::atomic<bool> draining = false;
  std::atomic<bool> complete = false;

  static void Take(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    const Tap& tap = **static_cast<std::shared_ptr<Tap>*>(closure);
    tap.intake->Put(Arrival(tap.id, FromNats(*message)));
    natsMsg_Destroy(message);
  }
  static void Complete(void* closure) {
    const std::unique_ptr<std::shared_ptr<Tap>> share(static_cast<std::shared_ptr<Tap>*>(closure));
    if ((*share)->draining) (*share)->intake->Put(Arrival((*share)->id, std::nullopt));
    (*share)->complete = true;
  }
};

void Subscriptions::Add(uint64_t id, std::string subject, std::string group, natsConnection* connection) {
  Subscription& subscription = in_force_[id];
  subscription.subject = std::move(subject);
  subscription.group = std::move(group);
  if (connection) Begin(id, subscription, *connection);
}

void Subscriptions::Remove(uint64_t id) { in_force_.erase(id); }

void Subscriptions::Drain(uint64_t id) {
  // One that is destroyed while it drains would drop what is on its way.
  std::erase_if(draining_, [](const Subscription& one) { return one.tap->complete.load(); });
  auto found = in_force_.extract(id);
  if (!found) return;
  Subscription& subscription = found.mapped();
  if (subscription.handle) {
    subscription.tap->draining = true;
    if (natsSubscription_DrainTimeout(subscription.handle.get(), kDrainMs) == NATS_OK) {
      draining_.push_back(std::move(subscription));
      return;
    }
    subscription.tap->draining = false;
  }
  intake_->Put(Arrival(id, std::nullopt));
}

void Subscriptions::BeginAll(natsConnection& connection) {
  for (auto& [id, subscription] : in_force_) Begin(id, subscription, connection);
}

void Subscriptions::Begin(uint64_t id, Subscription& subscription, natsConnection& connection) {
  subscription.tap = std::make_shared<Tap>(id, intake_);
  auto share = std::make_unique<std::shared_ptr<Tap>>(subscription.tap);
  natsSubscription* handle = nullptr;
  const natsStatus status =
      subscription.group.empty()
          ? natsConnection_Subscribe(&handle, &connection, subscription.subject.c_str(), Tap::Take,
                                     share.get())
          : natsConnection_QueueSubscribe(&handle, &connection, subscription.subject.c_str(),
                                          subscription.group.c_str(), Tap::Take, share.get());
  if (status != NATS_OK) {
    if (status != NATS_CONNECTION_CLOSED)
      log::Warning("NATS takes no subscription to {}: {}", subscription.subject, natsStatus_GetText(status));
    return;
  }
  subscription.handle.reset(handle);
  (void)natsSubscription_SetPendingLimits(handle, -1, -1);  // the intake has limits of its own
  (void)natsSubscription_SetOnCompleteCB(handle, Tap::Complete, share.release());
}

// libnats's thread for it has ended when this returns.
void Subscriptions::FinishDrains() {
  const TimePoint end = Now() + kLastDrain;
  for (const Subscription& one : draining_)
    (void)natsSubscription_WaitForDrainCompletion(one.handle.get(),
                                                  std::max<int64_t>(Remaining(end).count(), 1));
}

void Subscriptions::EndAll() {
  for (auto& [id, subscription] : in_force_) subscription.handle.reset();
  draining_.clear();
}

}  // namespace llm_router::nats
