// Runs: what a worker runs through the pipeline now, queries and jobs alike, and the cancels that end it.
//
// One per worker, owned by it. Loop thread only; `co_await Join()` before destruction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "router/pipeline/pipeline.h"
#include "router/worker/cancellations.h"
#include "router/worker/slots.h"

namespace llm_router {

// What became of one.
struct Ran {
  explicit Ran(const absl::Status& its_failure) : reply(its_failure), failure(its_failure) {}
  Ran(absl::StatusOr<Reply> its_reply, absl::Status its_failure, bool was_asked)
      : reply(std::move(its_reply)), failure(std::move(its_failure)), asked(was_asked) {}

  absl::StatusOr<Reply> reply;  // a failure has one too, unless the pipeline was left: cancelled, say
  absl::Status failure;         // why it has no answer; OK: it has one
  bool asked = false;           // a provider was called
};

class Runs {
 public:
  // `pipeline` outlives it.
  Runs(Executor executor, const Pipeline& pipeline);

  // Runs `query`, whose tags `query` and `tenant` are there, once it has a slot of `slots`. The provider call
  // is aborted at the query's deadline, when the calling coroutine is cancelled, or by a cancel. `route` and
  // `slots` outlive it.
  Awaitable<Ran> Run(const Route& route, Slots& slots, Query query);
  // The same in `slot`, which it gives back as soon as the provider's part is over.
  Awaitable<Ran> Run(const Route& route, Slots& slots, Slots::Slot slot, Query query);

  // A message of a control channel. A cancel for what has not come yet is remembered.
  void OnControl(const Message& message);

  Awaitable<void> Join() { return tasks_.Join(); }

 private:
  using Answer = OneShot<Ran>;
  struct Running {
    TaskGroup::TaskId task;
    std::string tenant;
  };

  Awaitable<Ran> RunIn(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query);
  Awaitable<void> RunInto(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query,
                          std::shared_ptr<Answer> answer);

  const Pipeline& pipeline_;
  Cancellations early_cancels_;
  absl::flat_hash_map<std::string, Running> running_;  // by the `query` tag
  TaskGroup tasks_;
};

}  // namespace llm_router
