#include "router/worker/runs.h"

#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kEarlyCancels = 10'000;

std::string TenantOf(const Message& message) {
  return std::string(TagOr(message.tags, contract::tag::kTenant, contract::kDefaultTenant));
}

// A cancel that came first counts for its own tenant's query only; neither name holds a zero byte.
std::string EarlyCancel(std::string_view tenant, std::string_view query) {
  return std::string(tenant).append(1, '\0').append(query);
}

Ran GivenUp() { return Ran(MakeFault(Fault::kCancelled, "the query was cancelled")); }

Ran TooLate() {
  return Ran(MakeFault(Fault::kTimeout, "no answer before the query's deadline: allow more time"));
}

// A pipeline without a stage that makes replies of failures fails itself.
Ran Outcome(const Exchange& exchange, absl::StatusOr<Reply> result) {
  absl::Status failure = result.ok() ? exchange.failure : result.status();
  return {std::move(result), std::move(failure), exchange.attempts > 0};
}

}  // namespace

Runs::Runs(Executor executor, const Pipeline& pipeline)
    : pipeline_(pipeline), early_cancels_(kEarlyCancels), tasks_(executor) {}

Awaitable<Ran> Runs::Run(const Route& route, Slots& slots, Query query) {
  return RunIn(route, slots, std::nullopt, std::move(query));
}

Awaitable<Ran> Runs::Run(const Route& route, Slots& slots, Slots::Slot slot, Query query) {
  return RunIn(route, slots, std::optional<Slots::Slot>(std::move(slot)), std::move(query));
}

// The broker cancels this coroutine, a control channel cancels the task below it: either way the provider
// call is aborted.
Awaitable<Ran> Runs::RunIn(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query) {
  const std::string id(TagOr(query.message.tags, contract::tag::kQuery));
  const std::string tenant = TenantOf(query.message);
  if (early_cancels_.Take(EarlyCancel(tenant, id))) co_return GivenUp();
  // Shared: when the caller goes, this coroutine leaves at once, and its task a moment later.
  const auto answer = std::make_shared<Answer>(tasks_.executor());
  const TimePoint deadline = query.deadline;
  const auto task = tasks_.Spawn(RunInto(route, slots, std::move(slot), std::move(query), answer));
  running_.insert_or_assign(id, Running{task, tenant});
  auto result = co_await answer->Wait(deadline);
  running_.erase(id);
  if (result) co_return *std::move(result);
  tasks_.Cancel(task);
  if (co_await Cancelled()) co_return GivenUp();
  co_return TooLate();
}

// A parser or library that throws costs its query, not the worker.
Awaitable<void> Runs::RunInto(const Route& route, Slots& slots, std::optional<Slots::Slot> slot, Query query,
                              std::shared_ptr<Answer> answer) {
  if (!slot) {
    auto taken = co_await slots.TakeForQuery(query.deadline);
    if (!taken) {
      answer->Set(GivenUp());
      co_return;
    }
    slot.emplace(*std::move(taken));
  }
  Ran ran = GivenUp();
  try {
    Exchange exchange(route, std::move(query));
    absl::StatusOr<Reply> result = co_await pipeline_.Run(exchange);
    ran = Outcome(exchange, std::move(result));
  } catch (const std::exception& error) {
    log::Error("a query on {} ended by an exception: {}", route.name, error.what());
    ran = Ran(MakeFault(Fault::kInternal, "the worker failed on this query: its log says why"));
  }
  slot.reset();
  answer->Set(std::move(ran));
}

void Runs::OnControl(const Message& message) {
  const auto cancel = contract::ParseCancel(message.body);
  if (!cancel.ok()) {
    log::Warning("ignored on {}: {}", message.channel, MessageOf(cancel.status()));
    return;
  }
  const auto it = running_.find(cancel->query);
  if (it == running_.end()) {
    early_cancels_.Remember(EarlyCancel(TenantOf(message), cancel->query),
                            FromUnixMillis(cancel->deadline_ms));
  } else if (it->second.tenant == TenantOf(message)) {
    tasks_.Cancel(it->second.task);
  }
}

}  // namespace llm_router
