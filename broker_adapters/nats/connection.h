// Connection: what the verbs share: one connection to the servers, kept up; questions and their answers;
// subscriptions by handler; and what is known of the server.
//
// Shared by the broker and by its subscriptions, which may outlive it. Loop thread only: the sender's and
// libnats's threads just post here. `co_await Stop()` before destruction; it fails what waits with
// shutting_down.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/nats/nats_broker.h"
#include "broker_adapters/nats/sender.h"

namespace llm_router::nats {

class Mailbox;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Nothing: the subscription was drained, and no message follows.
  using Handler = std::function<void(std::optional<WireMessage>)>;

  static std::shared_ptr<Connection> Make(Executor executor, NatsOptions options);
  ~Connection();

  // OK once there is a connection; else why not, at the deadline, or at once where the servers refuse us.
  Awaitable<absl::Status> Up(TimePoint deadline);
  bool is_up() const { return up_; }

  // Publishes in the order of the calls. Faults too_large and overloaded.
  absl::Status Publish(WireMessage message, TimePoint until);
  // The first answer to a question, a status of the server included. Fault timeout, cancelled,
  // engine_unavailable.
  Awaitable<absl::StatusOr<WireMessage>> Ask(WireMessage question, TimePoint deadline);
  // Returns when the server has taken in all that was published and subscribed before.
  Awaitable<absl::Status> Confirm(TimePoint deadline);

  // A subject that is listened to as long as this connection is: by it others see whether we are there.
  const std::string& Presence();

  uint64_t Subscribe(std::string subject, std::string group, Handler handler);
  void Unsubscribe(uint64_t id);
  // The handler is called for what is on its way, too, and for the end of it.
  void Drain(uint64_t id);
  // Who gets a message that came for a mailbox that is closed.
  void OnStray(Handler handler) { stray_ = std::move(handler); }

  // Whether headers and body are within what the server takes, and the body within the limit.
  absl::Status CheckSize(const WireMessage& message) const;
  absl::Status CheckBody(const Message& message) const;
  absl::Status ShuttingDown() const;

  TaskGroup& tasks() { return tasks_; }
  Executor executor() const { return executor_; }
  const NatsOptions& options() const { return options_; }
  const Caps& caps() const { return caps_; }
  bool stopping() const { return stopping_; }

  void BeginStop();
  Awaitable<void> Stop();

 private:
  friend class Mailbox;

  Connection(Executor executor, NatsOptions options);
  void Start();
  void Receive(Arrival arrival);
  void GoUp(size_t max_payload);
  void GoDown(absl::Status why);
  Awaitable<void> Greet(uint64_t meeting);
  void BeUp();
  void CloseMailboxes();
  void Wake();
  absl::Status WhyNot() const;

  const Executor executor_;
  const NatsOptions options_;
  const std::string inbox_;  // the prefix of every address where we wait for answers
  Caps caps_;
  size_t max_payload_ = 1024 * 1024;
  std::shared_ptr<Intake> intake_;  // shared with libnats
  std::unique_ptr<Sender> sender_;
  TaskGroup tasks_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Handler>> handlers_;  // shared with the call of it
  absl::flat_hash_map<uint64_t, Mailbox*> mailboxes_;
  Handler stray_;
  uint64_t next_ = 1;
  std::string presence_;
  uint64_t answers_ = 0;  // the subscription that all mailboxes share
  std::set<Timer*> waiters_;
  absl::Status why_not_;
  uint64_t meeting_ = 0;  // counts connections
  bool has_queues_ = false;
  bool up_ = false;
  bool stopping_ = false;
};

}  // namespace llm_router::nats
