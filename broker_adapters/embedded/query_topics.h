// QueryTopics: one name space of queries: who serves what, who waits for an answer, and who gets which query.
//
// The embedded broker has one for commands and one for queries. Owns every handler that runs. Loop thread;
// `co_await Stop()` before destruction. Errors are Faults: timeout, cancelled, overloaded, worker_lost,
// shutting_down, too_large, invalid_request.
#pragma once

#include <string>

#include "absl/container/inlined_vector.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/embedded/backlog.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/embedded/query_state.h"
#include "broker_adapters/embedded/subscriber_index.h"

namespace llm_router {

class QueryTopics {
 public:
  // What is under way; all zero at rest.
  struct Stats {
    size_t pending = 0;  // callers that wait
    size_t waiting = 0;  // copies without a handler
    size_t running = 0;  // handlers
  };

  QueryTopics(Executor executor, const EmbeddedOptions& options);

  // Broker::Request, Serve and Stop for this name space.
  Awaitable<absl::StatusOr<Reply>> Request(Query query);
  absl::StatusOr<SubscriptionPtr> Serve(ServeOptions options, QueryHandler handler);
  Awaitable<void> Stop();

  // For a Subscription: takes it out of service; what waited for it alone goes to others.
  void Leave(QuerySubscriber& subscriber);
  // And its end: also cancels what it runs, whose callers get worker_lost.
  void End(QuerySubscriber& subscriber);

  Stats stats() const;

 private:
  // A lane that a query goes to, and the member of it that has room.
  struct Target {
    explicit Target(QuerySubscriber& candidate)
        : lane(candidate.lane),
          grouped(candidate.grouped),
          member(candidate.has_room() ? &candidate : nullptr) {}
    std::string_view lane;
    bool grouped;
    QuerySubscriber* member;  // null: all are at their capacity
  };
  using Targets = absl::InlinedVector<Target, 4>;

  absl::Status Check(const Query& query) const;
  Targets TargetsOf(const std::string& channel) const;
  void Place(Pending& pending);
  void AddCopy(Pending& pending, std::string_view lane, QuerySubscriber* member);
  void Start(std::unique_ptr<Copy> copy, QuerySubscriber& subscriber);
  Awaitable<void> RunCopy(std::shared_ptr<QuerySubscriber> subscriber, std::unique_ptr<Copy> copy,
                          Query query);
  void Conclude(Copy& copy, absl::StatusOr<Reply> result);
  void TakeWaiting(QuerySubscriber& subscriber);
  void AdoptHeld(QuerySubscriber& subscriber);
  bool HasMember(const std::string& channel, std::string_view lane) const;
  void Orphan(QuerySubscriber& subscriber);
  void DropWaiting(Copy& copy);
  void Forget(Pending& pending);
  absl::Status NoAnswer(const Pending& pending, std::string_view channel) const;

  const Executor executor_;
  const EmbeddedOptions options_;
  SubscriberIndex<QuerySubscriber> index_;
  Backlog backlog_;
  TaskGroup tasks_;
  LinkedList<Pending, &Pending::of_topics> pendings_;
  LinkedList<QuerySubscriber, &QuerySubscriber::of_topics> subscribers_;
  Timer idle_;  // cancelled when the last pending is gone
  uint64_t sequence_ = 0;
  bool stopping_ = false;
};

}  // namespace llm_router
