// Broker: the port through which everything of ours talks to a message engine.
//
// One implementation per engine (embedded/, kubemq/), opened by registry.h and owned by the composition root
// or a client. All calls on the loop thread; every handler runs there too and must not block. Channel names
// are dot-separated tokens; in patterns `*` stands for one token and a last `>` for one or more. Errors carry
// a Fault (proto/fault.h). `co_await Stop()` before destruction.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/base/tags.h"

namespace llm_router {

struct Message {
  Message() = default;
  Message(std::string message_channel, std::string message_body)
      : channel(std::move(message_channel)), body(std::move(message_body)) {}

  std::string id;  // the sender's, not unique across senders
  std::string channel;
  std::string body;
  std::string metadata;
  std::string client_id;
  std::string span;
  Tags tags;
  int64_t timestamp = 0;  // Unix ns, set by who sent it (a reply: by its responder); 0 = unknown
};

// ---- queries and commands: a caller waits, at most once ----

enum class Kind { kCommand, kQuery };  // separate name spaces

struct Query {
  Query() = default;
  Query(Kind query_kind, Message query_message, TimePoint query_deadline)
      : kind(query_kind), message(std::move(query_message)), deadline(query_deadline) {}

  Kind kind = Kind::kQuery;
  Message message;
  TimePoint deadline;
};

struct Reply {
  Reply() = default;

  Message message;  // id, client id, timestamp, span and tags are the responder's
  bool executed = false;
  std::string error;
  bool cache_hit = false;
};

// Runs one query. Cancelled when its caller went away or its deadline passed; what it returns then is
// dropped. A failed status becomes the result of the caller's Request.
using QueryHandler = std::function<Awaitable<absl::StatusOr<Reply>>(Query)>;

struct ServeOptions {
  ServeOptions() = default;
  ServeOptions(Kind serve_kind, std::string serve_pattern, std::string serve_group, size_t serve_capacity)
      : kind(serve_kind),
        pattern(std::move(serve_pattern)),
        group(std::move(serve_group)),
        capacity(serve_capacity) {}

  Kind kind = Kind::kQuery;
  std::string pattern;
  std::string group;      // members of one group share the load; empty: this subscriber gets every query
  size_t capacity = 256;  // handlers running at once
};

// A subscription of either sort. Ends when destroyed: running handlers are cancelled, and their callers get
// worker_lost.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // Takes no more; returns when every running handler has ended and its answer is handed over.
  virtual Awaitable<void> Drain() = 0;
};
using SubscriptionPtr = std::unique_ptr<Subscription>;

// ---- events: published and forgotten, at most once ----

using EventHandler = std::function<void(const Message&)>;

// ---- queues: kept as Caps::durability says ----

struct Outgoing {
  Outgoing() = default;

  Message message;
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds expiry{0};  // 0 = never
  int max_deliveries = 0;               // 0 = no limit
  std::string dead_letter;              // queue for what used them up; empty = dropped
};

struct SendResult {
  SendResult() = default;

  std::string id;
  absl::Status status;
  int64_t sent_at = 0;  // Unix ns, as are the next two; 0 = does not apply
  int64_t expires_at = 0;
  int64_t delayed_to = 0;
};

// Names one lease; what is in it is the engine's own.
struct Receipt {
  Receipt() = default;
  std::string token;
};

struct Attributes {
  Attributes() = default;

  uint64_t sequence = 0;
  int64_t sent_at = 0;     // Unix ns
  int64_t expires_at = 0;  // Unix ns, 0 = never
  std::string rerouted_from;
  int max_deliveries = 0;
  std::string dead_letter;
};

struct Delivery {
  Delivery() = default;

  Message message;
  int deliveries = 1;  // this one included
  Attributes attributes;
  Receipt receipt;
};

struct ReceiveOptions {
  ReceiveOptions() = default;
  size_t max = 1;
  std::chrono::milliseconds wait{0};
};

struct Settlement {
  enum class Verdict {
    kAck,      // done, gone
    kNack,     // again, after `delay`; counted as a delivery
    kRelease,  // back to its place, not counted
  };
  Settlement() = default;
  Verdict verdict = Verdict::kAck;
  std::chrono::milliseconds delay{0};
};

// Each figure where the engine can tell it. One that can't tell what is leased counts it as waiting.
struct QueueInfo {
  QueueInfo() = default;
  std::optional<uint64_t> waiting, leased, delayed, dead;
  std::optional<std::chrono::milliseconds> oldest_age;
};

// What is there of one queue.
struct QueueTotals {
  QueueTotals() = default;

  std::string name;
  uint64_t waiting = 0;
  std::optional<uint64_t> leased, delayed;  // where the engine can tell; else `waiting` may count them
  uint64_t bytes = 0;                       // of all three
  uint64_t first_sequence = 0;              // of what waits
  uint64_t last_sequence = 0;               // given so far
};

// For engines whose queues can be looked into.
class QueueAdmin {
 public:
  virtual ~QueueAdmin() = default;

  // Copies of the next `max` messages, each with the delivery it would be; nothing is leased.
  virtual Awaitable<absl::StatusOr<std::vector<Delivery>>> Peek(std::string queue, size_t max) = 0;
  // Removes all that waits, delayed or not; how many. What is leased stays so.
  virtual Awaitable<absl::StatusOr<uint64_t>> Purge(std::string queue) = 0;
  // Every queue that was ever sent to, by name.
  virtual Awaitable<absl::StatusOr<std::vector<QueueTotals>>> Queues() = 0;
};

// ---- stored events: published, kept, and replayed from any place ----

class StoredEvents;  // stored_events.h

// ---- what an engine can do ----

enum class Dispatch {
  kLeastOutstanding,  // the member with the fewest unanswered queries, below its capacity
  kPull,              // members take what they can
  kRandom,            // pushed to any member
};

enum class Durability {
  kNone,
  kMemory,
  kDisk,
  kSynced
};  // kSynced: on disk, and the disk said so, before Send returns

// What a Durability is called: none, memory, disk, synced.
std::string_view NameOf(Durability durability);
std::optional<Durability> DurabilityNamed(std::string_view name);

struct Caps {
  Dispatch dispatch = Dispatch::kRandom;
  size_t max_body = 0;  // bytes
  Durability durability = Durability::kNone;
  bool timed_lease = false;         // leases run out and the adapter renews them
  bool confirms_subscribe = false;  // Serve and Subscribe return once the subscription is in force
};

class Broker {
 public:
  virtual ~Broker() = default;

  // Asks and waits for the first answer. Fault timeout at the deadline, worker_lost when who had it went
  // away. When the calling coroutine is cancelled, so is whoever runs the query. Nobody subscribed: waits
  // until the deadline.
  virtual Awaitable<absl::StatusOr<Reply>> Request(Query query) = 0;

  // Subscribes `handler` to queries; never more than `capacity` of them run at once.
  virtual Awaitable<absl::StatusOr<SubscriptionPtr>> Serve(ServeOptions options, QueryHandler handler) = 0;

  // Sends an event to who is subscribed now. Never waits.
  virtual absl::Status Publish(Message event) = 0;

  // Subscribes to events. Of the members of one non-empty group each event reaches one; in force on return
  // where Caps::confirms_subscribe.
  virtual Awaitable<absl::StatusOr<SubscriptionPtr>> Subscribe(std::string pattern, std::string group,
                                                               EventHandler handler) = 0;

  // The queue verbs: not_supported where Durability::kNone. What Settle fails for comes again, except after
  // storage_failed: then try again. Send: one result a message, in order; kept as Caps::durability says.
  virtual Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::string queue,
                                                                  std::vector<Outgoing> messages);
  // Receive: as soon as one is there; leased until settled or its consumer dies.
  virtual Awaitable<absl::StatusOr<std::vector<Delivery>>> Receive(std::string queue, ReceiveOptions options);
  virtual Awaitable<absl::Status> Settle(std::vector<Receipt> receipts, Settlement settlement);
  virtual Awaitable<absl::StatusOr<QueueInfo>> Info(std::string queue);
  // Null where the engine has no such thing.
  virtual QueueAdmin* queue_admin() { return nullptr; }
  virtual StoredEvents* stored_events() { return nullptr; }

  // The tenant that its engine takes us for: part of the channel of our streams (contract::StreamChannel).
  virtual Awaitable<absl::StatusOr<std::string>> Tenant();

  virtual const Caps& caps() const = 0;

  // Ends every subscription and fails every pending request with shutting_down.
  virtual Awaitable<void> Stop() = 0;
};

}  // namespace llm_router
