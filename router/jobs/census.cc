#include "router/jobs/census.h"

#include <algorithm>
#include <map>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"

namespace llm_router {
namespace {

constexpr size_t kMostRoutes = 1'000;  // each is a question to the message broker

}  // namespace

void Census::Start() {
  if (options_.measured) tasks_.Spawn(Run());
}

Awaitable<void> Census::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
}

Awaitable<void> Census::Run() {
  do {
    const absl::Status measured = co_await Measure();
    if (measured.ok() || co_await Cancelled()) continue;
    if (const auto left_out = log_limit_.Admit(Now()))
      log::Warning("the metrics of jobs are old: {} ({} more)", MessageOf(measured), *left_out);
  } while (co_await Sleep(Now() + options_.measure_every));
}

Awaitable<absl::Status> Census::Measure() {
  CO_ASSIGN_OR_RETURN(std::vector<RouteCount> counts, co_await store_.Counts());
  CO_ASSIGN_OR_RETURN(StoreFigures figures, co_await store_.Figures());
  std::map<std::string, int64_t> oldest;
  for (const OldestQueued& row : figures.oldest) oldest[row.route] = row.created;
  JobsFigures census;
  census.jobs = std::move(counts);
  for (const RouteCount& count : WithThoseWithoutJobs(census.jobs)) {
    const auto found = oldest.find(count.route);
    const int64_t created = found == oldest.end() ? 0 : found->second;
    census.queues.push_back(co_await Look(count, created));
    if (co_await Cancelled()) co_return absl::OkStatus();
  }
  census.batches = std::move(figures.batches);
  options_.measured(census);
  co_return absl::OkStatus();
}

// The store knows what was submitted, the message broker what lies in the queue, where there may also be
// messages that no worker has begun yet. An engine that cannot tell leaves it at what the store knows.
Awaitable<QueueFigures> Census::Look(RouteCount count, int64_t created) {
  const auto info = co_await broker_.Info(contract::JobsQueue(count.route));
  const bool can_tell = info.ok() && info->waiting;
  const auto in_queue =
      can_tell ? static_cast<int64_t>(*info->waiting + info->delayed.value_or(0)) : count.fed - count.running;
  QueueFigures figures;
  figures.depth = count.unfed + in_queue;
  if (created > 0) figures.oldest = Milliseconds(std::max<int64_t>(options_.unix_ms() - created, 0));
  if (info.ok() && info->oldest_age) figures.oldest = std::max(figures.oldest, *info->oldest_age);
  figures.route = std::move(count.route);
  co_return figures;
}

std::vector<RouteCount> Census::WithThoseWithoutJobs(std::vector<RouteCount> counts) const {
  if (counts.size() > kMostRoutes) counts.resize(kMostRoutes);
  std::set<std::string> known;
  for (const RouteCount& count : counts) known.insert(count.route);
  for (const auto& routes : {options_.routes, roster_.Routes()}) {
    for (const contract::RouteModels& route : routes) {
      if (counts.size() >= kMostRoutes || !known.insert(route.route).second) continue;
      counts.emplace_back().route = route.route;
    }
  }
  return counts;
}

}  // namespace llm_router
