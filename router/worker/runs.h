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
#include "router/worker/streams.h"

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
  // `pipeline` and `streams` outlive it.
  Runs(Executor executor, const Pipeline& pipeline, Streams& streams);

  // Runs `query`, whose tags `query` and `tenant` are there, once it has a slot of `slots`. The provider call
  // is aborted at the query's deadline, when the calling coroutine is cancelled, or by a cancel; where a
  // stream has begun whose caller went away, only when its linger is over and nobody resumed it. `route` and
  // `slots` outlive it.
  Awaitable<Ran> Run(const Route& route, Slots& slots, Query query);
  // The same in `slot`, which it gives back as soon as the provider's part is over.
  Awaitable<Ran> Run(const Route& route, Slots& slots, Slots::Slot slot, Query query);

  // A message of a control channel. A cancel for what has not come yet is remembered; credit goes to its
  // stream.
  void OnControl(const Message& message);

  // Ends what runs now and what is still to come: its failure is shutting_down.
  void EndAll();

  Awaitable<void> Join() { return tasks_.Join(); }

 private:
  using Answer = OneShot<Ran>;
  // Shared by the coroutine that waits, its task below, and whoever lingers: any may be the last.
  struct Running {
    Running(Executor executor, const Query& query);

    const std::string id;
    const std::string tenant;
    const TimePoint deadline;
    Milliseconds linger{0};
    std::shared_ptr<OutgoingStream> stream;  // null: a whole reply
    TaskGroup::TaskId task = 0;
    bool lingers = false;
    Answer answer;
  };
  using RunningPtr = std::shared_ptr<Running>;

  Awaitable<Ran> RunIn(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query);
  Awaitable<void> RunInto(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query,
                          RunningPtr running);
  Awaitable<Ran> RunPipeline(const Route& route, Query query, OutgoingStream* stream);
  void Cancel(const contract::Cancel& cancel, std::string_view tenant);
  void CallerLeft(const RunningPtr& running);
  Awaitable<void> Linger(RunningPtr running);
  Ran ToldOfEnd(Ran ran) const;

  const Pipeline& pipeline_;
  Cancellations early_cancels_;
  Streams& streams_;
  absl::flat_hash_map<std::string, RunningPtr> running_;  // by the `query` tag
  bool is_ended_ = false;
  TaskGroup tasks_;
};

}  // namespace llm_router
