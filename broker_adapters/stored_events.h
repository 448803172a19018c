// StoredEvents: the ability of an engine to keep events and replay them: events that are numbered, kept for a
// while, and given to every subscription from the place where it stands.
//
// Owned by its Broker (Broker::stored_events). All calls on the loop thread; handlers run there too and must
// not block. Each subscription is durable: its place is known by (client id, channel), or by (channel, group)
// where it has a group, whose members share it. The place moves as events are acknowledged, survives the
// process, and never skips one that was not acknowledged: after a break some may come again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/broker.h"

namespace llm_router {

struct StoredEvent {
  StoredEvent() = default;

  Message message;
  uint64_t sequence = 0;  // in its channel, from 1, without gaps
  int64_t stored_at = 0;  // Unix ns
};

// Where a subscription begins that was never made before. Where it was, it goes on from its place.
struct StoredStart {
  enum class From {
    kNew,       // what is published from now on
    kFirst,     // the oldest that is kept
    kLast,      // the newest that is kept
    kSequence,  // the one with `sequence`, or the next that is kept
    kTime,      // the first that was stored at `time` or later
  };
  StoredStart() = default;

  From from = From::kNew;
  uint64_t sequence = 0;
  int64_t time = 0;  // Unix ns
};

struct StoredSubscribe {
  StoredSubscribe() = default;

  std::string channel;  // no wildcards
  std::string group;    // members of one share its events; empty: the client's own
  std::string client_id;
  StoredStart start;
  size_t capacity = 1'024;  // events given to the handler and not yet acknowledged, at most
  size_t capacity_bytes = size_t{16} * 1024 * 1024;  // the same in bytes; one event is always given
};

// Called with events in their order; one that a member of the group left behind may come later.
using StoredHandler = std::function<void(const StoredEvent&)>;

// Ends when destroyed: what was not acknowledged is for the next. Drain() waits for acknowledgements.
class StoredSubscription : public Subscription {
 public:
  // One event is done and need not come again. Others are passed over.
  virtual void Acknowledge(uint64_t sequence) = 0;
};
using StoredSubscriptionPtr = std::unique_ptr<StoredSubscription>;

// What is there of one channel.
struct StoredTotals {
  StoredTotals() = default;

  std::string name;
  uint64_t events = 0;  // that are kept
  uint64_t bytes = 0;   // of them
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;  // given so far
  int64_t last_at = 0;         // Unix ns; 0 = unknown
  size_t subscribers = 0;      // now
};

class StoredEvents {
 public:
  virtual ~StoredEvents() = default;

  // The event's sequence, once it is kept as Caps::durability says. Events of one channel get their numbers
  // in the order of the calls. A cancelled call may have kept it.
  virtual Awaitable<absl::StatusOr<uint64_t>> Publish(Message event) = 0;

  // In force on return. Fault invalid_request when the client has a live subscription to the channel already
  // (without group).
  virtual Awaitable<absl::StatusOr<StoredSubscriptionPtr>> Subscribe(StoredSubscribe options,
                                                                     StoredHandler handler) = 0;

  // Removes the events of a channel; how many. Its numbers and the subscriptions' places go on.
  virtual Awaitable<absl::StatusOr<uint64_t>> Purge(std::string channel) = 0;
  // Removes a channel with all its events and places. While somebody is subscribed only its events.
  virtual Awaitable<absl::Status> Delete(std::string channel) = 0;
  // Every channel that holds events or places, by name.
  virtual std::vector<StoredTotals> Channels() const = 0;
};

}  // namespace llm_router
