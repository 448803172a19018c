#include "router/jobs/upkeep.h"

#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "router/jobs/aborts.h"

namespace llm_router {
namespace {

constexpr int64_t kMostAtOnce = 500;  // in one transaction: others wait for it

}  // namespace

Awaitable<void> Upkeep::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
}

Awaitable<void> Upkeep::Run() {
  do {
    life_.Listen();
    const absl::Status swept = co_await Sweep();
    if (swept.ok() || co_await Cancelled()) continue;
    if (const auto left_out = log_limit_.Admit(Now()))
      log::Warning("the upkeep of jobs fails: {} ({} more)", MessageOf(swept), *left_out);
  } while (co_await waker_.Wait(Now() + options_.sweep_every));
}

Awaitable<absl::Status> Upkeep::Sweep() {
  CO_RETURN_IF_ERROR(co_await SweepDeadRuns());
  int64_t overdue = kMostAtOnce;
  while (overdue == kMostAtOnce && !co_await Cancelled()) {
    CO_ASSIGN_OR_RETURN(overdue, co_await store_.FailOverdue(kMostAtOnce, options_.unix_ms()));
    if (overdue > 0) changed_();
  }
  const auto expired = co_await store_.ExpireBatches(options_.unix_ms());
  if (!expired.ok()) co_return expired.status();
  CO_RETURN_IF_ERROR(co_await EndLines());
  co_return co_await Prune();
}

Awaitable<absl::Status> Upkeep::SweepDeadRuns() {
  CO_ASSIGN_OR_RETURN(const std::vector<std::string> workers, co_await store_.RunningWorkers());
  for (const std::string& worker : workers) {
    int64_t ended = kMostAtOnce;
    while (ended == kMostAtOnce && life_.IsDead(worker) && !co_await Cancelled()) {
      auto swept = co_await store_.RequeueRunsOf(worker, options_.policies, kMostAtOnce, options_.unix_ms());
      if (!swept.ok()) co_return swept.status();
      ended = *swept;
      if (ended > 0) log::Warning("worker {} went away with {} jobs at work", worker, ended);
      if (ended > 0) changed_();
    }
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Upkeep::EndLines() {
  while (!co_await Cancelled()) {
    const auto ended = co_await store_.EndLines(kMostAtOnce, options_.unix_ms());
    if (!ended.ok()) co_return ended.status();
    if (ended->lines == 0) break;
    for (const Aborted& aborted : ended->aborted) TellToDrop(broker_, aborted, options_.unix_ms());
    changed_();
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Upkeep::Prune() {
  int64_t pruned = 1;
  while (pruned > 0 && !co_await Cancelled()) {
    auto gone = co_await store_.Prune(options_.unix_ms() - options_.keep_results.count(), kMostAtOnce);
    if (!gone.ok()) co_return gone.status();
    pruned = *gone;
  }
  co_return absl::OkStatus();
}

}  // namespace llm_router
