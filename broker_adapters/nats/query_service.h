// QueryService: one subscription to queries or commands: runs the handler on each, never more than the
// capacity at once, and sends its answer. What the server pushes beyond that waits here, up to 10,000 of 256
// MB; then it is refused.
//
// Shared by its handle and by the coroutines that run for it. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/nats/connection.h"

namespace llm_router::nats {

class QueryService : public std::enable_shared_from_this<QueryService> {
 public:
  QueryService(std::shared_ptr<Connection> connection, ServeOptions options, QueryHandler handler);

  // In force on return, where there is a connection.
  Awaitable<absl::Status> Begin();
  // Takes no more; returns when every answer is handed over.
  static Awaitable<void> Drain(std::shared_ptr<QueryService> self);
  // Ends at once: handlers are cancelled and their callers get worker_lost.
  void End();

 private:
  struct Running {
    Running(Executor executor, TimePoint deadline, std::string its_reply)
        : timer(executor, deadline), reply(std::move(its_reply)) {}
    TaskGroup::TaskId task = 0;
    bool abandoned = false;  // nobody waits for the answer any more
    Timer timer;             // at the query's deadline
    std::string reply;
  };
  struct Taken {
    Taken(Query its_query, std::string its_reply, size_t its_bytes)
        : query(std::move(its_query)), reply(std::move(its_reply)), bytes(its_bytes) {}
    Query query;
    std::string reply;
    size_t bytes;
  };

  void Take(std::optional<WireMessage> message);
  void StartWaiting();
  static Awaitable<void> Answer(std::shared_ptr<QueryService> self, uint64_t key, Taken taken);
  void Send(absl::StatusOr<Reply> reply, const std::string& to, const Message& query);
  // Tells the callers whose queries have been held for 20 ms who holds them: what is answered sooner costs
  // no message more.
  static Awaitable<void> Tell(std::shared_ptr<QueryService> self);
  void Abandon(uint64_t key);
  void GiveUp(const std::string& reply);
  void Unlisten();

  const std::shared_ptr<Connection> connection_;  // outlived by it
  const ServeOptions options_;
  const QueryHandler handler_;
  uint64_t queries_ = 0;  // the subscriptions
  uint64_t cancels_ = 0;
  std::map<uint64_t, Running> running_;
  absl::flat_hash_map<std::string, uint64_t> by_reply_;  // of those that run
  absl::flat_hash_set<std::string> untold_;  // held, and their callers don't know it: reply subjects
  std::deque<std::pair<TimePoint, std::string>> to_tell_;  // when each is told, if it is still held then
  bool telling_ = false;
  std::deque<Taken> waiting_;
  size_t waiting_bytes_ = 0;
  Timer changed_;
  uint64_t next_key_ = 0;
  bool drained_ = false;
  bool ended_ = false;
};

}  // namespace llm_router::nats
