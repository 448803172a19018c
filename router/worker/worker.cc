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

constexpr auto kBeatEvery = std::chrono::seconds(1);
constexpr size_t kResumesAtOnce = 10'000;

// Queries are known by the door's stamp. Where no door of ours stood in the way, the first of ours stamps:
// here.
void Stamp(Message& message) {
  message.tags.try_emplace(std::string(contract::tag::kQuery), NewId());
  message.tags.try_emplace(std::string(contract::tag::kTenant), contract::kDefaultTenant);
}

}  // namespace

Worker::Worker(Executor executor, Broker& broker, const Pipeline& pipeline, WorkerOptions options)
    : executor_(executor),
      broker_(broker),
      options_(std::move(options)),
      streams_(executor, broker, options_.name),
      runs_(executor, pipeline, streams_),
      journal_(executor, broker, options_.journal),
      heartbeat_(executor),
      limit_(executor) {
  for (const Route& route : options_.routes) routes_.push_back(std::make_unique<Served>(executor, route));
}

Awaitable<absl::Status> Worker::Start() {
  CO_RETURN_IF_ERROR(co_await ListenForControl(std::string(contract::kControlChannel)));
  CO_RETURN_IF_ERROR(co_await ListenForControl(contract::WorkerControlChannel(options_.name)));
  for (const auto& served : routes_) CO_RETURN_IF_ERROR(co_await Serve(*served));
  TakeJobs();
  Beat(/*leaving=*/false);
  // After the first beat: where a subscription is known to be in force, the message broker has had that beat,
  // and so a door knows our routes as soon as we say that we are ready.
  CO_RETURN_IF_ERROR(co_await ServeResumes());
  heartbeat_.Spawn(BeatEverySecond());
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Worker::Serve(Served& served) {
  const std::string channel = contract::RequestsChannel(served.route.name);
  auto subscription = co_await broker_.Serve(
      ServeOptions(Kind::kQuery, channel, std::string(contract::kWorkersGroup), served.route.concurrency),
      [this, &served](Query query) { return Handle(served, std::move(query)); });
  if (!subscription.ok()) co_return Annotate(subscription.status(), fmt::format("serve {}", channel));
  served.queries = *std::move(subscription);
  co_return absl::OkStatus();
}

void Worker::TakeJobs() {
  if (broker_.caps().durability == Durability::kNone) {
    log::Info("this message broker keeps no queues: this worker takes queries only, no jobs");
    return;
  }
  JobRunnerOptions options;
  options.worker = options_.name;
  for (const auto& served : routes_) {
    if (served->slots.job_capacity() == 0) continue;
    served->jobs = std::make_unique<JobTaker>(executor_, broker_, journal_, runs_, served->route,
                                              served->slots, options);
    served->jobs->Start();
  }
  journal_.OnChange([this] {
    for (const auto& served : routes_) {
      if (served->jobs) served->jobs->Wake();
    }
  });
}

Awaitable<void> Worker::BeginDrain(TimePoint until) {
  limit_.Spawn(EndRunsAt(until));
  co_await StopTakingJobs();
}

Awaitable<void> Worker::StopTakingJobs() {
  for (const auto& served : routes_) {
    if (served->jobs) co_await served->jobs->StopTaking();
  }
}

// Jobs first: one of a chain still asks the routes of its steps. Chains before the routes that they ask.
Awaitable<void> Worker::Drain() {
  co_await DrainJobs();
  for (const auto& served : routes_ | std::views::reverse) {
    if (served->queries) co_await served->queries->Drain();
  }
  co_await runs_.Join();
  limit_.Cancel();
  co_await limit_.Join();
  if (resumes_) co_await resumes_->Drain();
  resumes_.reset();
  for (const auto& served : routes_) served->queries.reset();
  control_.clear();
  heartbeat_.Cancel();
  co_await heartbeat_.Join();
  Beat(/*leaving=*/true);
}

Awaitable<void> Worker::DrainJobs() {
  journal_.BeginEnd();
  co_await StopTakingJobs();
  for (const auto& served : routes_) {
    if (served->jobs) co_await served->jobs->Join();
  }
  co_await journal_.Stop();
}

Awaitable<void> Worker::EndRunsAt(TimePoint when) {
  if (!co_await Sleep(when)) co_return;
  log::Warning("limits.drain_seconds are over: what still runs is ended");
  runs_.EndAll();
}

Awaitable<absl::StatusOr<Reply>> Worker::Handle(Served& served, Query query) {
  Stamp(query.message);
  Ran ran = co_await runs_.Run(served.route, served.slots, std::move(query));
  co_return std::move(ran.reply);
}

Awaitable<absl::Status> Worker::ListenForControl(std::string channel) {
  auto subscription =
      co_await broker_.Subscribe(channel, "", [this](const Message& message) { runs_.OnControl(message); });
  if (!subscription.ok()) co_return Annotate(subscription.status(), fmt::format("subscribe {}", channel));
  control_.push_back(*std::move(subscription));
  co_return absl::OkStatus();
}

Awaitable<absl::Status> Worker::ServeResumes() {
  const std::string channel = contract::WorkerControlChannel(options_.name);
  auto subscription =
      co_await broker_.Serve(ServeOptions(Kind::kQuery, channel, "", kResumesAtOnce),
                             [this](Query query) { return streams_.Resume(std::move(query)); });
  if (!subscription.ok()) co_return Annotate(subscription.status(), fmt::format("serve {}", channel));
  resumes_ = *std::move(subscription);
  co_return absl::OkStatus();
}

Awaitable<void> Worker::BeatEverySecond() {
  while (co_await Sleep(Now() + kBeatEvery)) {
    Beat(/*leaving=*/false);
    streams_.Expire(Now());
  }
}

void Worker::Beat(bool leaving) {
  contract::Heartbeat beat;
  beat.worker = options_.name;
  beat.config_version = options_.config_version;
  beat.leaving = leaving;
  for (const auto& served : routes_) {
    contract::RouteBeat& row = beat.routes.emplace_back();
    row.route = served->route.name;
    for (const Target& target : served->route.targets) row.models.push_back(target.model);
    row.in_flight = static_cast<int64_t>(served->slots.in_flight());
    row.capacity = static_cast<int64_t>(served->route.concurrency);
    if (served->jobs) row.job_capacity = static_cast<int64_t>(served->slots.job_capacity());
  }
  const auto sent = broker_.Publish(Message(std::string(contract::kHeartbeatChannel), ToJson(beat)));
  if (!sent.ok()) log::Warning("heartbeat not sent: {}", MessageOf(sent));
}

}  // namespace llm_router
