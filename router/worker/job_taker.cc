#include "router/worker/job_taker.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"

namespace llm_router {
namespace {

// Few enough that hardly any must be given back when queries take the slots meanwhile.
constexpr size_t kMostAtOnce = 32;
constexpr Milliseconds kReceiveWait(10'000);

}  // namespace

JobTaker::JobTaker(Executor executor, Broker& broker, JournalClient& journal, Runs& runs, const Route& route,
                   Slots& slots, JobRunnerOptions options)
    : broker_(broker),
      journal_(journal),
      slots_(slots),
      queue_(contract::JobsQueue(route.name)),
      runner_(broker, journal, runs, route, slots, std::move(options)),
      wake_(executor, TimePoint::max()),
      taking_(executor),
      jobs_(executor) {
  slots_.OnRoom([this] { Wake(); });
  runner_.gate().OnChange([this] { Wake(); });
}

void JobTaker::Start() { taking_.Spawn(TakeJobs()); }

Awaitable<void> JobTaker::StopTaking() {
  taking_.Cancel();
  co_await taking_.Join();
}

Awaitable<void> JobTaker::TakeJobs() {
  FullJitter backoff(Milliseconds(200), Milliseconds(10'000));
  while (const size_t room = co_await WaitForRoom()) {
    ReceiveOptions options;
    options.max = room;
    options.wait = kReceiveWait;
    auto deliveries = co_await broker_.Receive(queue_, options);
    if (deliveries.ok()) {
      backoff.Reset();
      co_await StartAll(*std::move(deliveries));
      continue;
    }
    if (co_await Cancelled()) co_return;
    if (const auto left_out = failures_.Admit(Now())) {
      log::Warning("can't receive from {}, tried again ({} more): {}", queue_, *left_out,
                   MessageOf(deliveries.status()));
    }
    (void)co_await Sleep(Now() + backoff.Next());
  }
}

// 0 when the coroutine was cancelled.
Awaitable<size_t> JobTaker::WaitForRoom() {
  while (!co_await Cancelled()) {
    if (const size_t room = Room(); room > 0) co_return std::min(room, kMostAtOnce);
    const TimePoint opens = runner_.gate().not_before();
    wake_.expires_at(opens > Now() ? opens : TimePoint::max());
    (void)co_await wake_.async_wait(kUseTuple);
  }
  co_return 0;
}

// Jobs that only wait for the journal hold no slot, yet their number has a bound.
size_t JobTaker::Room() {
  const size_t capacity = slots_.job_capacity();
  const size_t room = std::min(slots_.free_for_jobs(), capacity - std::min(capacity, active_));
  return runner_.gate().MayStart(Now(), journal_.MayBegin(room));
}

Awaitable<void> JobTaker::StartAll(std::vector<Delivery> deliveries) {
  std::vector<Receipt> surplus;
  for (Delivery& delivery : deliveries) {
    std::optional<Slots::Slot> slot = Room() > 0 ? slots_.TakeForJob() : std::nullopt;
    if (!slot) {
      surplus.push_back(std::move(delivery.receipt));
      continue;
    }
    ++active_;
    journal_.Expect();
    const ProviderGate::Pass pass = runner_.gate().Start();
    jobs_.Spawn(RunOne(std::move(delivery), *std::move(slot), pass));
  }
  if (surplus.empty()) co_return;
  Settlement release;
  release.verdict = Settlement::Verdict::kRelease;
  const absl::Status released = co_await broker_.Settle(std::move(surplus), release);
  if (!released.ok()) log::Warning("messages of {} not released: {}", queue_, MessageOf(released));
}

Awaitable<void> JobTaker::RunOne(Delivery delivery, Slots::Slot slot, ProviderGate::Pass pass) {
  co_await runner_.Run(std::move(delivery), std::move(slot), pass);
  --active_;
  Wake();
}

}  // namespace llm_router
