#include "router/worker/runs.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "router/pipeline/account.h"

namespace llm_router {
namespace {

constexpr size_t kEarlyCancels = 10'000;

std::string TenantOf(const Message& message) {
  return std::string(TagOr(message.tags, contract::tag::kTenant, contract::kDefaultTenant));
}

Milliseconds LingerOf(const Message& message) {
  const auto asked = ParseNumber<int64_t>(TagOr(message.tags, contract::tag::kLinger));
  return Milliseconds(std::clamp<int64_t>(asked.value_or(0), 0, contract::kLongestLinger.count()));
}

// A cancel that came first counts for its own tenant's query only; neither name holds a zero byte.
std::string EarlyCancel(std::string_view tenant, std::string_view query) {
  return std::string(tenant).append(1, '\0').append(query);
}

Ran GivenUp() { return Ran(MakeFault(Fault::kCancelled, "the query was cancelled")); }

Ran TooLate() {
  return Ran(MakeFault(Fault::kTimeout, "no answer before the query's deadline: allow more time"));
}

Ran NoPlace() {
  return Ran(
      MakeFault(Fault::kTimeout, "the worker had no place for it before its deadline: raise concurrency"));
}

// It got no slot.
Ran Unplaced(const Route& route, Query query) {
  Ran ran = Now() < query.deadline ? GivenUp() : NoPlace();
  AccountUnrun(route, std::move(query), ran.failure);
  return ran;
}

// A pipeline without a stage that makes replies of failures fails itself.
Ran Outcome(const Exchange& exchange, absl::StatusOr<Reply> result) {
  absl::Status failure = result.ok() ? exchange.failure : result.status();
  return {std::move(result), std::move(failure), exchange.attempts > 0};
}

}  // namespace

Runs::Running::Running(Executor executor, const Query& query)
    : id(TagOr(query.message.tags, contract::tag::kQuery)),
      tenant(TenantOf(query.message)),
      deadline(query.deadline),
      answer(executor) {}

Runs::Runs(Executor executor, const Pipeline& pipeline, Streams& streams)
    : pipeline_(pipeline), early_cancels_(kEarlyCancels), streams_(streams), tasks_(executor) {}

Awaitable<Ran> Runs::Run(const Route& route, Slots& slots, Query query) {
  return RunIn(route, slots, std::nullopt, std::move(query));
}

Awaitable<Ran> Runs::Run(const Route& route, Slots& slots, Slots::Slot slot, Query query) {
  return RunIn(route, slots, std::optional<Slots::Slot>(std::move(slot)), std::move(query));
}

// The broker cancels this coroutine, a control channel cancels the task below it: either way the provider
// call is aborted.
Awaitable<Ran> Runs::RunIn(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query) {
  const auto running = std::make_shared<Running>(tasks_.executor(), query);
  if (early_cancels_.Take(EarlyCancel(running->tenant, running->id))) co_return GivenUp();
  running->stream = streams_.Open(query.message);
  if (running->stream) running->linger = LingerOf(query.message);
  running_.insert_or_assign(running->id, running);
  running->task = tasks_.Start(RunInto(route, slots, std::move(slot), std::move(query), running));
  auto result = co_await running->answer.Wait(running->deadline);
  if (result) co_return *std::move(result);
  if (co_await Cancelled()) {
    CallerLeft(running);
    co_return GivenUp();
  }
  tasks_.Cancel(running->task);
  co_return TooLate();
}

Awaitable<void> Runs::RunInto(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query,
                              RunningPtr running) {
  if (!slot) {
    auto taken = co_await slots.TakeForQuery(query.deadline);
    if (taken) slot.emplace(*std::move(taken));
  }
  Ran ran = slot ? co_await RunPipeline(route, std::move(query), running->stream.get())
                 : Unplaced(route, std::move(query));
  slot.reset();
  ran = ToldOfEnd(std::move(ran));
  if (running->stream) {
    running->stream->End(ran.reply);
    streams_.Ended(running->id);
  }
  const auto found = running_.find(running->id);
  if (found != running_.end() && found->second == running) running_.erase(found);
  running->answer.Set(std::move(ran));
}

// A parser or library that throws costs its query, not the worker.
Awaitable<Ran> Runs::RunPipeline(const Route& route, Query query, OutgoingStream* stream) {
  try {
    Exchange exchange(route, std::move(query), stream);
    absl::StatusOr<Reply> result = co_await pipeline_.Run(exchange);
    co_return Outcome(exchange, std::move(result));
  } catch (const std::exception& error) {
    log::Error("a query on {} ended by an exception: {}", route.name, error.what());
  }
  co_return Ran(MakeFault(Fault::kInternal, "the worker failed on this query: its log says why"));
}

void Runs::OnControl(const Message& message) {
  const auto control = contract::ParseControl(message.body);
  if (!control.ok()) {
    log::Warning("ignored on {}: {}", message.channel, MessageOf(control.status()));
    return;
  }
  const std::string tenant = TenantOf(message);
  if (const auto* credit = std::get_if<contract::Credit>(&*control)) streams_.OnCredit(*credit, tenant);
  if (const auto* cancel = std::get_if<contract::Cancel>(&*control)) Cancel(*cancel, tenant);
}

void Runs::Cancel(const contract::Cancel& cancel, std::string_view tenant) {
  const auto found = running_.find(cancel.query);
  if (found == running_.end()) {
    early_cancels_.Remember(EarlyCancel(tenant, cancel.query), FromUnixMillis(cancel.deadline_ms));
  } else if (found->second->tenant != tenant) {
    return;
  } else if (cancel.gone) {
    CallerLeft(found->second);
  } else {
    tasks_.Cancel(found->second->task);
  }
}

void Runs::EndAll() {
  is_ended_ = true;
  tasks_.Cancel();
}

Ran Runs::ToldOfEnd(Ran ran) const {
  if (!is_ended_ || ran.failure.ok() || FaultOf(ran.failure) != Fault::kCancelled) return ran;
  const absl::Status stopped = MakeFault(Fault::kShuttingDown, "the worker stops: ask again");
  return {stopped, stopped, ran.asked};
}

// Who has not had a chunk yet knows no stream to resume.
void Runs::CallerLeft(const RunningPtr& running) {
  const bool may_resume = running->linger.count() > 0 && running->stream->chunks() > 0;
  if (!may_resume) return tasks_.Cancel(running->task);
  if (!std::exchange(running->lingers, true)) tasks_.Spawn(Linger(running));
}

Awaitable<void> Runs::Linger(RunningPtr running) {
  const bool abandoned = co_await running->stream->AwaitAbandoned(running->linger, running->deadline);
  if (abandoned) tasks_.Cancel(running->task);
}

}  // namespace llm_router
