// Worker and Calls: the two ends of a query, as the cases use them; Listener: the end of an event.
//
// Each records what reached it and notifies the engine's Signal. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker_adapters/broker.h"
#include "tests/contract/engine.h"
#include "tests/contract/signal.h"

namespace llm_router::test {

using Result = absl::StatusOr<Reply>;

// Shared by the case and by its handlers, which may end after it.
struct Worker {
  explicit Worker(const Engine& engine) : changed(engine.changed()) {}

  void Release() {
    blocked = false;
    changed->Notify();
  }
  size_t started() const { return got.size(); }

  bool blocked = false;                        // handlers wait for Release
  std::function<Result(const Query&)> answer;  // empty: the body comes back
  std::vector<Query> got;
  size_t running = 0;
  size_t most = 0;  // that ran at once
  size_t cancelled = 0;
  std::vector<std::string> probes;
  const std::shared_ptr<Signal> changed;
};
using WorkerPtr = std::shared_ptr<Worker>;

// Serves with `worker` and returns when the subscription is in force.
Awaitable<SubscriptionPtr> Serve(Broker& broker, ServeOptions options, WorkerPtr worker);
// A group of queries on `pattern`, which is what most cases want.
ServeOptions Queries(std::string pattern, std::string group = "workers", size_t capacity = 256);

struct Listener {
  explicit Listener(const Engine& engine) : changed(engine.changed()) {}

  std::vector<Message> got;
  std::vector<std::string> probes;
  const std::shared_ptr<Signal> changed;
};
using ListenerPtr = std::shared_ptr<Listener>;

// Subscribes `listener` and returns when the subscription is in force.
Awaitable<SubscriptionPtr> Listen(Broker& broker, std::string pattern, std::string group,
                                  ListenerPtr listener);

Query Ask(std::string channel, std::string body = "hello", Milliseconds timeout = kPatience);

// Requests in the background, with their results under the number of the call.
class Calls {
 public:
  explicit Calls(Engine& engine)
      : tasks_(engine.tasks()), state_(std::make_shared<State>(engine.changed())) {}

  size_t Start(Broker& broker, Query query);
  void Cancel(size_t call) { tasks_.Cancel(state_->ids.at(call)); }
  // False when they did not all end in time.
  Awaitable<bool> Join();
  Awaitable<bool> Ended(size_t call);
  const Result& result(size_t call) const { return *state_->results.at(call); }
  size_t size() const { return state_->results.size(); }

 private:
  // Shared with the coroutines that call, which a failed case leaves behind.
  struct State {
    explicit State(std::shared_ptr<Signal> signal) : changed(std::move(signal)) {}
    std::vector<TaskGroup::TaskId> ids;
    std::vector<std::optional<Result>> results;
    size_t ended = 0;
    const std::shared_ptr<Signal> changed;
  };
  static Awaitable<void> Run(std::shared_ptr<State> state, size_t call, Broker& broker, Query query);

  TaskGroup& tasks_;
  const std::shared_ptr<State> state_;
};

}  // namespace llm_router::test
