#include "router/worker/worker.h"

#include <fmt/format.h>

#include <ranges>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kEarlyCancels = 10'000;
constexpr auto kBeatEvery = std::chrono::seconds(1);

std::string TenantOf(const Message& message) {
  return std::string(TagOr(message.tags, contract::tag::kTenant, contract::kDefaultTenant));
}

// A cancel that came first counts for its own tenant's query only; neither name holds a zero byte.
std::string EarlyCancel(std::string_view tenant, std::string_view query) {
  return std::string(tenant).append(1, '\0').append(query);
}

// Queries are known by the door's stamp. Where no door of ours stood in the way, the first of ours stamps:
// here.
void Stamp(Message& message) {
  message.tags.try_emplace(std::string(contract::tag::kQuery), NewId());
  message.tags.try_emplace(std::string(contract::tag::kTenant), contract::kDefaultTenant);
}

absl::Status GivenUp() { return MakeFault(Fault::kCancelled, "the query was cancelled"); }

}  // namespace

Worker::Worker(Executor executor, Broker& broker, const Pipeline& pipeline, WorkerOptions options)
    : broker_(broker),
      pipeline_(pipeline),
      options_(std::move(options)),
      early_cancels_(kEarlyCancels),
      queries_(executor),
      heartbeat_(executor) {}

Awaitable<absl::Status> Worker::Start() {
  CO_RETURN_IF_ERROR(co_await ListenForControl(std::string(contract::kControlChannel)));
  CO_RETURN_IF_ERROR(co_await ListenForControl(contract::WorkerControlChannel(options_.name)));
  for (const Route& route : options_.routes) {
    in_flight_[route.name] = 0;
    const std::string channel = contract::RequestsChannel(route.name);
    auto subscription = co_await broker_.Serve(
        ServeOptions(Kind::kQuery, channel, std::string(contract::kWorkersGroup), route.concurrency),
        [this, &route](Query query) { return Handle(route, std::move(query)); });
    if (!subscription.ok()) co_return Annotate(subscription.status(), fmt::format("serve {}", channel));
    routes_.push_back(*std::move(subscription));
  }
  heartbeat_.Spawn(BeatEverySecond());
  co_return absl::OkStatus();
}

Awaitable<void> Worker::Drain() {
  // Chains first: what they have taken still asks the routes before them.
  for (const SubscriptionPtr& route : routes_ | std::views::reverse) co_await route->Drain();
  co_await queries_.Join();
  routes_.clear();
  control_.clear();
  heartbeat_.Cancel();
  co_await heartbeat_.Join();
  Beat(/*leaving=*/true);
}

// The broker cancels this coroutine, llm_control cancels the task below it: either way the provider call is
// aborted.
Awaitable<absl::StatusOr<Reply>> Worker::Handle(const Route& route, Query query) {
  Stamp(query.message);
  const std::string id(TagOr(query.message.tags, contract::tag::kQuery));
  if (early_cancels_.Take(EarlyCancel(TenantOf(query.message), id))) co_return GivenUp();
  // Shared: when the caller goes, this coroutine leaves at once, and its task a moment later.
  const auto answer = std::make_shared<Answer>(queries_.executor());
  const std::string tenant = TenantOf(query.message);
  const TimePoint deadline = query.deadline;
  const auto task = queries_.Spawn(RunInto(route, std::move(query), answer));
  running_.insert_or_assign(id, Running{task, tenant});
  ++in_flight_[route.name];
  auto result = co_await answer->Wait(deadline);
  --in_flight_[route.name];
  running_.erase(id);
  if (result) co_return *std::move(result);
  queries_.Cancel(task);
  co_return GivenUp();
}

// A parser or library that throws costs its query, not the worker.
Awaitable<void> Worker::RunInto(const Route& route, Query query, std::shared_ptr<Answer> answer) {
  try {
    Exchange exchange(route, std::move(query));
    answer->Set(co_await pipeline_.Run(exchange));
  } catch (const std::exception& error) {
    log::Error("a query on {} ended by an exception: {}", route.name, error.what());
    answer->Set(MakeFault(Fault::kInternal, "the worker failed on this query: its log says why"));
  }
}

Awaitable<absl::Status> Worker::ListenForControl(std::string channel) {
  auto subscription =
      co_await broker_.Subscribe(channel, "", [this](const Message& message) { OnControl(message); });
  if (!subscription.ok()) co_return Annotate(subscription.status(), fmt::format("subscribe {}", channel));
  control_.push_back(*std::move(subscription));
  co_return absl::OkStatus();
}

void Worker::OnControl(const Message& message) {
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
    queries_.Cancel(it->second.task);
  }
}

Awaitable<void> Worker::BeatEverySecond() {
  do Beat(/*leaving=*/false);
  while (co_await Sleep(Now() + kBeatEvery));
}

void Worker::Beat(bool leaving) {
  contract::Heartbeat beat;
  beat.worker = options_.name;
  beat.config_version = options_.config_version;
  beat.leaving = leaving;
  for (const Route& route : options_.routes) {
    contract::RouteBeat& row = beat.routes.emplace_back();
    row.route = route.name;
    for (const Target& target : route.targets) row.models.push_back(target.model);
    row.in_flight = in_flight_[route.name];
    row.capacity = static_cast<int64_t>(route.concurrency);
  }
  const auto sent = broker_.Publish(Message(std::string(contract::kHeartbeatChannel), ToJson(beat)));
  if (!sent.ok()) log::Warning("heartbeat not sent: {}", MessageOf(sent));
}

}  // namespace llm_router
