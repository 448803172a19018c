// QueryStream: one subscription to queries or commands: runs the handler on each, never more than the
// capacity at once, and sends its answer. What a foreign server pushes beyond that waits here, up to 1,024.
//
// Shared by its handle and by the coroutines that run for it. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "broker_adapters/broker.h"
#include "broker_adapters/kubemq/live_stream.h"
#include "broker_adapters/kubemq/worker_link.h"

namespace llm_router {

class QueryStream final : public LiveStream<kubemq::Request> {
 public:
  QueryStream(std::shared_ptr<Connection> connection, ServeOptions options, QueryHandler handler);

  // Takes no more; returns when every answer is handed over.
  static Awaitable<void> Drain(std::shared_ptr<QueryStream> self);
  // Ends at once: handlers are cancelled and their callers get worker_lost.
  void End();

 private:
  struct Running {
    Running(Executor executor, TimePoint deadline) : timer(executor, deadline) {}
    TaskGroup::TaskId task = 0;
    bool abandoned = false;  // nobody waits for the answer any more
    Timer timer;             // at the query's deadline
  };
  // A query as it came, and the link that its answer goes back by; without one, by a call of its own.
  struct Taken {
    Taken(kubemq::Request asked, TimePoint until, std::shared_ptr<WorkerLink> by)
        : request(std::move(asked)), deadline(until), link(std::move(by)) {}
    kubemq::Request request;
    TimePoint deadline;
    std::shared_ptr<WorkerLink> link;
  };

  Awaitable<void> Take(kubemq::Request request) override;
  std::shared_ptr<Reader<kubemq::Request>> Begin(bool marked, const kubemq::Subscribe& subscribe) override;
  void Lost(bool marked) override;

  std::shared_ptr<QueryStream> Self();
  void StartWaiting();
  static Awaitable<void> Answer(std::shared_ptr<QueryStream> self, uint64_t key, Taken taken);
  Awaitable<void> SendAnswer(const Taken& taken, Reply reply);
  void Abandon(uint64_t key);
  void AbandonAll();

  ServeOptions options_;
  QueryHandler handler_;
  std::map<uint64_t, Running> running_;
  std::deque<Taken> waiting_;
  Timer changed_;
  uint64_t next_key_ = 0;
  std::shared_ptr<WorkerLink> link_;  // to a server of ours; shared with gRPC and with what is to be answered
  bool draining_ = false;
  bool ended_ = false;
};

}  // namespace llm_router
