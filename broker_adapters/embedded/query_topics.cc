#include "broker_adapters/embedded/query_topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/limits.h"
#include "broker_adapters/embedded/query_subscription.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

absl::Status Stopping() {
  return MakeFault(Fault::kShuttingDown, "the message broker is shutting down: ask again elsewhere or later");
}

absl::Status Lost() {
  return MakeFault(Fault::kWorkerLost,
                   "the worker that had the query went away before it answered: ask again");
}

absl::Status Full() {
  return MakeFault(Fault::kOverloaded,
                   "more queries wait on this channel than are held: ask again later, or start more workers");
}

// A handler's result, whatever happens in it: nothing of a handler's may stop its caller from hearing.
Awaitable<absl::StatusOr<Reply>> RunHandler(const QueryHandler& handler, Query query) {
  try {
    co_return co_await handler(std::move(query));
  } catch (const std::exception& error) {
    co_return MakeFault(Fault::kInternal, fmt::format("the query's handler failed: {}", error.what()));
  }
}

}  // namespace

QueryTopics::QueryTopics(Executor executor, const EmbeddedOptions& options)
    : executor_(executor),
      options_(options),
      backlog_(options.max_waiting, options.max_waiting_bytes),
      tasks_(executor),
      idle_(executor, TimePoint::max()) {}

QueryTopics::Stats QueryTopics::stats() const {
  Stats stats;
  stats.pending = pendings_.size();
  stats.waiting = backlog_.size();
  stats.running = tasks_.size();
  return stats;
}

absl::Status QueryTopics::Check(const Query& query) const {
  if (stopping_) return Stopping();
  RETURN_IF_ERROR(CheckChannel(query.message.channel));
  RETURN_IF_ERROR(CheckBody("query", query.message.body.size(), options_.max_body));
  if (query.deadline > Now()) return absl::OkStatus();
  return MakeFault(Fault::kTimeout, "no answer before the deadline: it had passed when the query came");
}

Awaitable<absl::StatusOr<Reply>> QueryTopics::Request(Query query) {
  CO_RETURN_IF_ERROR(Check(query));
  const std::string channel = query.message.channel;
  const TimePoint deadline = query.deadline;
  Pending pending(executor_, std::move(query), ++sequence_);
  pendings_.push_back(pending);
  Place(pending);
  auto answer = co_await pending.answer.Wait(deadline);
  const absl::Status failure = answer ? absl::OkStatus() : NoAnswer(pending, channel);
  Forget(pending);
  if (answer) co_return *std::move(answer);
  if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
  co_return failure;
}

absl::Status QueryTopics::NoAnswer(const Pending& pending, std::string_view channel) const {
  std::string_view why = "all who serve it are busy; start more workers, or allow more time";
  if (pending.started) {
    why = "a worker was still at it; allow more time";
  } else if (!pending.copies.empty() && pending.copies.front().lane->name == kHeld) {
    why = "nobody serves it; start a worker for it, or check the name";
  }
  return MakeFault(Fault::kTimeout,
                   fmt::format("no answer before the deadline on channel \"{}\": {}", channel, why));
}

// Nobody waits for this query any more: what runs is cancelled, what waits is dropped.
void QueryTopics::Forget(Pending& pending) {
  absl::InlinedVector<TaskGroup::TaskId, 4> running;
  while (!pending.copies.empty()) {
    Copy& copy = pending.copies.front();
    if (copy.lane != nullptr) {
      DropWaiting(copy);
      continue;
    }
    running.push_back(copy.task);
    copy.pending = nullptr;
    copy.of_pending.unlink();
  }
  pending.of_topics.unlink();
  for (const auto task : running) tasks_.Cancel(task);
  if (stopping_ && pendings_.empty()) idle_.cancel();
}

// ---- who gets a query ----

QueryTopics::Targets QueryTopics::TargetsOf(const std::string& channel) const {
  const auto better = [](const QuerySubscriber& a, const QuerySubscriber* b) {
    if (b == nullptr || a.outstanding != b->outstanding)
      return b == nullptr || a.outstanding < b->outstanding;
    return a.last_served < b->last_served;
  };
  Targets targets;
  index_.ForEachMatch(channel, [&](QuerySubscriber& candidate) {
    const auto same = [&](const Target& target) { return target.grouped && target.lane == candidate.lane; };
    const auto it = candidate.grouped ? std::find_if(targets.begin(), targets.end(), same) : targets.end();
    if (it == targets.end()) {
      targets.emplace_back(candidate);
    } else if (candidate.has_room() && better(candidate, it->member)) {
      it->member = &candidate;
    }
  });
  return targets;
}

void QueryTopics::Place(Pending& pending) {
  const Targets targets = TargetsOf(pending.query.message.channel);
  pending.unstarted = std::max<size_t>(targets.size(), 1);
  if (targets.empty()) AddCopy(pending, kHeld, nullptr);
  for (const Target& target : targets) AddCopy(pending, target.lane, target.member);
  if (pending.copies.empty()) pending.answer.Set(Full());
}

void QueryTopics::AddCopy(Pending& pending, std::string_view lane, QuerySubscriber* member) {
  auto copy = std::make_unique<Copy>(pending);
  pending.copies.push_back(*copy);
  if (member != nullptr) {
    Start(std::move(copy), *member);
  } else if (backlog_.Add(*copy, lane)) {
    (void)copy.release();  // belongs to `pending` now; DropWaiting or Start take it back
  } else {
    --pending.unstarted;
  }
}

void QueryTopics::DropWaiting(Copy& copy) {
  const std::unique_ptr<Copy> owned(&copy);
  --copy.pending->unstarted;
  backlog_.Remove(copy);
}

void QueryTopics::Start(std::unique_ptr<Copy> copy, QuerySubscriber& subscriber) {
  Pending& pending = *copy->pending;
  pending.started = true;
  const bool is_last = --pending.unstarted == 0;
  Query query = is_last ? std::move(pending.query) : pending.query;
  Copy& started = *copy;
  subscriber.runs.push_back(started);
  ++subscriber.outstanding;
  subscriber.last_served = ++sequence_;
  started.task = tasks_.Spawn(RunCopy(subscriber.shared_from_this(), std::move(copy), std::move(query)));
}

Awaitable<void> QueryTopics::RunCopy(std::shared_ptr<QuerySubscriber> subscriber, std::unique_ptr<Copy> copy,
                                     Query query) {
  if (copy->pending != nullptr) {  // else its caller went away before it began
    auto result = co_await RunHandler(subscriber->handler, std::move(query));
    if (result.ok()) {
      if (auto fits = CheckBody("reply", result->message.body.size(), options_.max_body); !fits.ok()) {
        result = std::move(fits);
      }
    }
    if (copy->pending != nullptr) Conclude(*copy, std::move(result));
  }
  copy.reset();
  --subscriber->outstanding;
  if (subscriber->in_service) {
    TakeWaiting(*subscriber);
  } else {
    subscriber->idle.cancel();
  }
}

// The first answer counts; but a worker that was lost costs its query nothing while others have it.
void QueryTopics::Conclude(Copy& copy, absl::StatusOr<Reply> result) {
  Pending& pending = *std::exchange(copy.pending, nullptr);
  copy.of_pending.unlink();
  const bool lost = FaultOf(result.status()) == Fault::kWorkerLost;
  if (!lost || pending.copies.empty()) pending.answer.Set(std::move(result));
}

void QueryTopics::TakeWaiting(QuerySubscriber& subscriber) {
  while (subscriber.has_room()) {
    Copy* const oldest = backlog_.Oldest(subscriber.pattern, subscriber.lane);
    if (oldest == nullptr) return;
    if (oldest->pending->answer.is_set()) {
      DropWaiting(*oldest);
      continue;
    }
    backlog_.Remove(*oldest);
    Start(std::unique_ptr<Copy>(oldest), subscriber);
  }
}

// ---- subscribers come and go ----

absl::StatusOr<SubscriptionPtr> QueryTopics::Serve(ServeOptions options, QueryHandler handler) {
  if (stopping_) return Stopping();
  RETURN_IF_ERROR(CheckGroup(options.group));
  if (options.capacity == 0) {
    return MakeFault(Fault::kInvalidRequest, "the capacity is 0: it takes at least 1 query at a time");
  }
  ASSIGN_OR_RETURN(auto pattern, Pattern::Parse(std::move(options.pattern)));
  auto subscriber = std::make_shared<QuerySubscriber>(executor_, std::move(pattern), std::move(options),
                                                      std::move(handler));
  if (subscriber->lane.empty()) {
    subscriber->grouped = false;
    subscriber->lane = fmt::format("\n{}", ++sequence_);  // no group's name holds a line break
  }
  subscriber->topics = this;
  subscriber->in_service = true;
  subscribers_.push_back(*subscriber);
  index_.Add(*subscriber);
  AdoptHeld(*subscriber);
  TakeWaiting(*subscriber);
  return MakeQuerySubscription(std::move(subscriber));
}

void QueryTopics::AdoptHeld(QuerySubscriber& subscriber) {
  for (Copy* const copy : backlog_.All(subscriber.pattern, kHeld)) {
    backlog_.Remove(*copy);
    (void)backlog_.Add(*copy, subscriber.lane);  // there is room: it has just left
  }
}

bool QueryTopics::HasMember(const std::string& channel, std::string_view lane) const {
  bool found = false;
  index_.ForEachMatch(channel, [&](QuerySubscriber& other) { found = found || other.lane == lane; });
  return found;
}

// What waited in a lane that has no member left: another copy will do, or it looks for a place again; but
// what a lost worker may already have done is not done again.
void QueryTopics::Orphan(QuerySubscriber& subscriber) {
  for (Copy* const copy : backlog_.All(subscriber.pattern, subscriber.lane)) {
    Pending& pending = *copy->pending;
    if (HasMember(copy->lane->channel.name, subscriber.lane)) continue;
    DropWaiting(*copy);
    if (!pending.copies.empty() || pending.answer.is_set()) continue;
    if (pending.started) {
      pending.answer.Set(Lost());
    } else {
      Place(pending);
    }
  }
}

void QueryTopics::Leave(QuerySubscriber& subscriber) {
  if (!subscriber.in_service) return;
  subscriber.in_service = false;
  index_.Remove(subscriber);
  Orphan(subscriber);
}

void QueryTopics::End(QuerySubscriber& subscriber) {
  Leave(subscriber);
  subscriber.topics = nullptr;
  subscriber.of_topics.unlink();
  std::vector<TaskGroup::TaskId> running;
  for (Copy& copy : subscriber.runs) {
    running.push_back(copy.task);
    if (copy.pending != nullptr) Conclude(copy, Lost());
  }
  for (const auto task : running) tasks_.Cancel(task);
}

Awaitable<void> QueryTopics::Stop() {
  stopping_ = true;
  for (Pending& pending : pendings_) pending.answer.Set(Stopping());
  while (!subscribers_.empty()) End(subscribers_.front());
  tasks_.Cancel();
  co_await tasks_.Join();
  while (!pendings_.empty()) (void)co_await idle_.async_wait(kUseTuple);
}

}  // namespace llm_router
