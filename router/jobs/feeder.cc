#include "router/jobs/feeder.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

constexpr int64_t kMostWindow = 10'000;  // jobs in one queue
constexpr int64_t kMostAtOnce = 500;     // in one send
constexpr Milliseconds kLookEvery{250};  // retries come due
constexpr Milliseconds kTryAgain{1'000};

Outgoing MessageOf(const FeedJob& job, const std::string& queue) {
  Outgoing outgoing;
  Message& message = outgoing.message;
  message.id = job.id;
  message.channel = queue;
  message.body = job.body;
  message.tags = job.tags;
  message.tags[std::string(tag::kJob)] = job.id;
  message.tags[std::string(tag::kQuery)] = job.id;
  message.tags[std::string(tag::kTenant)] = job.tenant;
  if (job.deadline > 0) message.tags[std::string(tag::kDeadline)] = std::to_string(job.deadline);
  if (!job.interactive) message.tags.try_emplace(std::string(tag::kPriority), "batch");
  return outgoing;
}

// Sending it again changes nothing.
bool IsForGood(const absl::Status& refused) {
  const Fault fault = FaultOf(refused);
  return fault == Fault::kTooLarge || fault == Fault::kInvalidRequest;
}

bool IsEmpty(const QueueInfo& info) { return info.waiting == 0 && info.leased == 0 && info.delayed == 0; }

}  // namespace

Feeder::Feeder(Executor executor, Broker& broker, Store& store, const Roster& roster,
               const JobsOptions& options)
    : broker_(broker),
      store_(store),
      roster_(roster),
      options_(options),
      tasks_(executor),
      waker_(executor) {}

Awaitable<void> Feeder::Stop() {
  tasks_.Cancel();
  co_await tasks_.Join();
}

Awaitable<void> Feeder::Run() {
  while (!co_await Cancelled()) {
    const absl::Status fed = co_await FeedAll();
    if (co_await Cancelled()) co_return;
    if (!fed.ok()) {
      if (const auto left_out = log_limit_.Admit(Now()))
        log::Warning("jobs are not fed to the workers: {} ({} more)", llm_router::MessageOf(fed), *left_out);
    }
    // After a failure a wake must not make it a loop.
    if (!fed.ok() && !co_await Sleep(Now() + kTryAgain)) co_return;
    if (!co_await waker_.Wait(Now() + kLookEvery)) co_return;
  }
}

Awaitable<absl::Status> Feeder::FeedAll() {
  CO_ASSIGN_OR_RETURN(const std::vector<RouteCount> counts, co_await store_.Counts());
  const bool reconcile = Now() - reconciled_ >= options_.reconcile_every;
  if (reconcile) reconciled_ = Now();
  absl::Status failure;
  for (const RouteCount& count : counts) {
    known_.insert(count.route);
    // One route's trouble is not the others'.
    if (reconcile && count.fed > count.running) failure.Update(co_await Reconcile(count.route));
    if (count.unfed > 0) failure.Update(co_await FeedRoute(count));
  }
  co_return failure;
}

int64_t Feeder::WindowOf(const std::string& route) const {
  int64_t window = std::min(2 * roster_.JobCapacity(route), kMostWindow);
  const auto bound = options_.job_concurrency.find(route);
  if (bound != options_.job_concurrency.end() && bound->second > 0) window = std::min(window, bound->second);
  return window;
}

Awaitable<absl::Status> Feeder::FeedRoute(const RouteCount& count) {
  const std::string route = count.route;
  Turn& turn = turns_[route];
  int64_t room = WindowOf(route) - count.fed;
  while (room > 0 && !co_await Cancelled()) {
    FeedLimits limits;
    limits.room = std::min(room, kMostAtOnce);
    limits.last_lane = turn.last_lane;
    limits.singles_in_a_row = turn.singles_in_a_row;
    auto page = co_await store_.NextToFeed(route, limits, options_.unix_ms());
    if (!page.ok()) co_return page.status();
    turn.last_lane = page->last_lane;
    turn.singles_in_a_row = page->singles_in_a_row;
    if (page->jobs.empty() && !page->damaged) break;
    room -= static_cast<int64_t>(page->jobs.size());
    if (!page->jobs.empty()) CO_RETURN_IF_ERROR(co_await Feed(route, std::move(page->jobs)));
  }
  co_return absl::OkStatus();
}

// Sent, then marked: what happens in between makes a double, which the journal removes, and never a loss.
Awaitable<absl::Status> Feeder::Feed(std::string route, std::vector<FeedJob> jobs) {
  const std::string queue = contract::JobsQueue(route);
  std::vector<Outgoing> messages;
  for (const FeedJob& job : jobs) messages.push_back(MessageOf(job, queue));
  const auto sent = co_await broker_.Send(queue, std::move(messages));
  if (!sent.ok()) co_return Annotate(sent.status(), queue);
  absl::Status failure;
  std::vector<FeedJob> fed;
  for (size_t i = 0; i < jobs.size() && i < sent->size(); ++i) {
    const absl::Status& status = (*sent)[i].status;
    if (status.ok()) {
      FeedJob& mark = fed.emplace_back();
      mark.row = jobs[i].row;
      mark.generation = jobs[i].generation;
    } else if (IsForGood(status)) {
      failure.Update(co_await store_.FailUnfed(std::move(jobs[i]), status, options_.unix_ms()));
    } else {
      failure.Update(Annotate(status, queue));
    }
  }
  if (!fed.empty()) failure.Update(co_await store_.MarkFed(std::move(fed)));
  co_return failure;
}

// An engine that cannot tell is believed to keep what it has.
Awaitable<absl::Status> Feeder::Reconcile(std::string route) {
  const auto info = co_await broker_.Info(contract::JobsQueue(route));
  if (!info.ok() || !IsEmpty(*info)) co_return absl::OkStatus();
  int64_t lost = 0;
  int64_t again = kMostAtOnce;
  while (again == kMostAtOnce && !co_await Cancelled()) {
    auto fed = co_await store_.Refeed(route, kMostAtOnce);
    if (!fed.ok()) co_return fed.status();
    again = *fed;
    lost += again;
  }
  if (lost > 0)
    log::Warning("{} jobs of {} were no longer in {}: they are fed again", lost, route,
                 contract::JobsQueue(route));
  co_return absl::OkStatus();
}

}  // namespace llm_router
