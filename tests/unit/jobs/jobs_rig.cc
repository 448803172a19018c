#include "tests/unit/jobs/jobs_rig.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

JobsRig::JobsRig(Loop& loop) : loop_(loop) {
  options.grace = Milliseconds(0);  // who is not heard is dead
  options.sweep_every = Milliseconds(20);
  options.reconcile_every = Milliseconds(20);
  options.routes.emplace_back().route = "openai";
}

Awaitable<bool> JobsRig::Open() {
  if (!broker_) {
    QueueOptions queues;
    queues.folder = folder_.path();
    queues.vfs = vfs;
    auto opened = OpenEmbeddedBroker(loop_.executor(), {}, std::move(queues));
    if (!opened.ok()) co_return false;
    broker_ = *std::move(opened);
  }
  if (!store_) {
    stored.folder = folder_.path();
    stored.vfs = vfs;
    auto opened = OpenSqliteStore(loop_.executor(), stored);
    if (!opened.ok()) co_return false;
    store_ = *std::move(opened);
  }
  if (!service_) {
    options.name = NewId();
    auto started = co_await JobsService::Start(loop_.executor(), *broker_, *store_, options);
    if (!started.ok()) co_return false;
    service_ = *std::move(started);
  }
  co_return true;
}

Awaitable<void> JobsRig::Close() {
  if (service_) co_await service_->Stop();
  service_.reset();
  if (store_) co_await store_->Stop();
  store_.reset();
  if (broker_) co_await broker_->Stop();
  broker_.reset();
}

Awaitable<void> JobsRig::Restart() {
  co_await service_->Stop();
  service_.reset();
  co_await store_->Stop();
  store_.reset();
  REQUIRE(co_await Open());
}

Awaitable<absl::StatusOr<Reply>> JobsRig::Query(std::string_view channel, std::string body,
                                                std::string tenant) {
  llm_router::Query query(Kind::kQuery, Message(std::string(channel), std::move(body)), Now() + kPatience);
  query.message.tags[std::string(contract::tag::kTenant)] = std::move(tenant);
  auto reply = co_await broker_->Request(std::move(query));
  if (!reply.ok()) co_return reply.status();
  if (!reply->executed) co_return contract::ParseError(reply->error, reply->message.body);
  co_return *std::move(reply);
}

Awaitable<absl::StatusOr<contract::Json>> JobsRig::Ask(std::string question, std::string tenant) {
  const auto reply = co_await Query(contract::kJobsChannel, std::move(question), std::move(tenant));
  if (!reply.ok()) co_return reply.status();
  co_return contract::ParseObject(reply->message.body, "the reply");
}

Awaitable<std::string> JobsRig::Submit(std::string body, Tags tags, std::string tenant) {
  contract::SubmitJob ask;
  ask.route = "openai";
  ask.body = std::move(body);
  ask.tags = std::move(tags);
  const auto answer = co_await Ask(ToJson(ask), std::move(tenant));
  if (!answer.ok()) FAIL(answer.status().ToString());
  co_return contract::StringOr(*answer, "id");
}

Awaitable<contract::Job> JobsRig::Find(std::string job, std::string tenant) {
  const auto answer = co_await Ask(
      ToJson(contract::AboutJob(contract::AboutJob::Op::kResult, std::move(job))), std::move(tenant));
  if (!answer.ok()) FAIL(answer.status().ToString());
  auto parsed = contract::ParseJob(*answer);
  if (!parsed.ok()) FAIL(parsed.status().ToString());
  co_return *std::move(parsed);
}

Awaitable<contract::Job> JobsRig::Await(std::string job, contract::JobState state) {
  const TimePoint until = Now() + kPatience;
  contract::Job found = co_await Find(job);
  while (found.state != state && Now() < until) {
    (void)co_await Sleep(Now() + Milliseconds(5));
    found = co_await Find(job);
  }
  CHECK(NameOf(found.state) == NameOf(state));
  co_return found;
}

Awaitable<RouteCount> JobsRig::AwaitFed(int64_t fed) {
  const TimePoint until = Now() + kPatience;
  auto counts = co_await store_->Counts();
  while ((*counts)[0].fed != fed && Now() < until) {
    (void)co_await Sleep(Now() + Milliseconds(5));
    counts = co_await store_->Counts();
  }
  CHECK((*counts)[0].fed == fed);
  co_return (*counts)[0];
}

void JobsRig::Beat(std::string worker, int64_t job_capacity, bool leaving) {
  contract::Heartbeat beat;
  beat.worker = std::move(worker);
  beat.leaving = leaving;
  contract::RouteBeat& route = beat.routes.emplace_back();
  route.route = "openai";
  route.models = {"gpt"};
  route.capacity = route.job_capacity = job_capacity;
  (void)broker_->Publish(Message(std::string(contract::kHeartbeatChannel), ToJson(beat)));
}

Awaitable<std::vector<Delivery>> JobsRig::Receive(size_t max, Milliseconds wait) {
  ReceiveOptions receiving;
  receiving.max = max;
  receiving.wait = wait;
  auto got = co_await broker_->Receive(contract::JobsQueue("openai"), receiving);
  if (!got.ok()) co_return std::vector<Delivery>();
  co_return *std::move(got);
}

Awaitable<absl::StatusOr<contract::Begun>> JobsRig::Begin(std::string job, std::string run,
                                                          std::string worker) {
  contract::Begin begin;
  begin.job = std::move(job);
  begin.run = std::move(run);
  begin.worker = std::move(worker);
  begin.route = "openai";
  const auto reply = co_await Query(contract::kJournalChannel, ToJson(begin), "");
  if (!reply.ok()) co_return reply.status();
  co_return contract::ParseBegun(reply->message.body);
}

Awaitable<absl::StatusOr<contract::FinishVerdict>> JobsRig::Finish(contract::Finish finish) {
  const auto reply = co_await Query(contract::kJournalChannel, ToJson(finish), "");
  if (!reply.ok()) co_return reply.status();
  co_return contract::ParseFinishVerdict(reply->message.body);
}

Awaitable<absl::Status> JobsRig::Settle(const Delivery& delivery, Settlement::Verdict verdict) {
  Settlement settlement;
  settlement.verdict = verdict;
  if (verdict == Settlement::Verdict::kNack) settlement.delay = Milliseconds(20);
  std::vector<Receipt> receipts{delivery.receipt};
  co_return co_await broker_->Settle(std::move(receipts), settlement);
}

contract::Finish ResultOf(std::string job, std::string run) {
  contract::Finish finish;
  finish.job = std::move(job);
  finish.reply.executed = true;
  finish.reply.body = "{\"of\":\"" + run + "\"}";
  finish.run = std::move(run);
  return finish;
}

contract::Finish FailureOf(std::string job, std::string run, Fault fault) {
  contract::Finish finish = ResultOf(std::move(job), std::move(run));
  finish.outcome = contract::Outcome::kFailed;
  finish.reply.executed = false;
  finish.failure = MakeFault(fault, "the provider failed");
  return finish;
}

}  // namespace llm_router::test
