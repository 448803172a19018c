// Engine: the engine under test, as one case sees it: connections, names of its own, and an orderly end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "broker_adapters/base/task_group.h"
#include "tests/contract/harness.h"
#include "tests/contract/signal.h"

namespace llm_router::test {

class Engine {
 public:
  Engine(Loop& loop, std::unique_ptr<Harness> harness);

  Awaitable<Broker*> Connect() { return harness_->Connect(); }
  bool NackOvertakes() const { return harness_->NackOvertakes(); }
  Executor executor() const { return tasks_.executor(); }
  // What the case runs in the background; cancelled at its end.
  TaskGroup& tasks() { return tasks_; }
  // What everything of a case notifies.
  const std::shared_ptr<Signal>& changed() const { return changed_; }
  // Waits until `condition` holds, looking again whenever something happened. False when it never did.
  template <class Condition>
  Awaitable<bool> Until(Condition condition) {
    return changed_->Until(std::move(condition));
  }
  // A channel name that no other case and no earlier run used, with `suffix` after it.
  std::string Name(std::string_view suffix = "") const;

 private:
  friend void OnEngine(std::function<Awaitable<void>(Engine&)> body);

  TaskGroup tasks_;
  const std::shared_ptr<Signal> changed_;  // shared with handlers, which a failed case leaves behind
  const std::unique_ptr<Harness> harness_;
  const std::string prefix_;
};

// Runs a case on the program's engine, and stops that whatever became of the case.
void OnEngine(std::function<Awaitable<void>(Engine&)> body);

// Whether a query that came before its subscriber, or left with its last one, is kept for the next. Who only
// pushes to those who are there (Dispatch::kRandom) can't.
bool HoldsQueries(const Caps& caps);

}  // namespace llm_router::test
