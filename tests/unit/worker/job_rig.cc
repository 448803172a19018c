#include "tests/unit/worker/job_rig.h"

#include "broker_adapters/embedded/embedded_broker.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

Reply Text(std::string body) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(body);
  return reply;
}

std::unique_ptr<Broker> OpenWith(Executor executor, const TemporaryFolder& folder, bool queues) {
  if (!queues) return MakeEmbeddedBroker(executor, EmbeddedOptions());
  QueueOptions options;
  options.folder = folder.path();
  auto broker = OpenEmbeddedBroker(executor, EmbeddedOptions(), options);
  if (!broker.ok()) FAIL(broker.status().ToString());
  return *std::move(broker);
}

// The next answer of a table, or `usual`.
absl::StatusOr<Reply> NextOf(std::deque<JobRig::Answer>& answers, const JobRig::Answer& usual) {
  if (answers.empty()) return usual();
  const JobRig::Answer answer = std::move(answers.front());
  answers.pop_front();
  return answer();
}

}  // namespace

Awaitable<absl::StatusOr<Reply>> FakeProvider::Run(Exchange& exchange, Next) {
  const std::string body = exchange.query.message.body;
  calls.push_back(body);
  ++exchange.attempts;
  ++running;
  changed_->Notify();
  absl::StatusOr<Reply> result = Text(body);
  if (body.starts_with("hold") && !co_await released.Until([this] { return released_all; })) {
    result = MakeFault(Fault::kCancelled, "held, and cancelled");
  }
  if (body.starts_with("busy") && busy) result = MakeFault(Fault::kProviderBusy, "come back later", busy_for);
  if (body.starts_with("fail")) result = MakeFault(Fault::kProviderFailed, "the provider broke");
  --running;
  co_return result;
}

JobRig::JobRig(Loop& loop, bool queues)
    : changed(std::make_shared<Signal>(loop.executor())),
      broker(std::make_unique<WatchedBroker>(OpenWith(loop.executor(), folder_, queues), changed)),
      executor_(loop.executor()) {
  auto stage = std::make_unique<FakeProvider>(executor_, changed);
  provider = stage.get();
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(std::move(stage));
  pipeline_ = std::make_unique<Pipeline>(std::move(stages));
  Route& route = options.routes.emplace_back();
  route.name = "chat";
  route.concurrency = 4;
  route.reserve = 1;
  options.name = "w1";
  options.journal.patience = Milliseconds(30'000);
  options.journal.first_backoff = Milliseconds(1);
  options.journal.longest_backoff = Milliseconds(2);
}

Awaitable<void> JobRig::Start() {
  worker = std::make_unique<Worker>(executor_, *broker, *pipeline_, options);
  if (journal_up) co_await JournalUp();
  const absl::Status started = co_await worker->Start();
  REQUIRE(started.ok());
}

Awaitable<void> JobRig::Stop() {
  co_await worker->Drain();
  journal_.reset();
  co_await broker->Stop();
}

Awaitable<void> JobRig::JournalUp() {
  auto serving = co_await broker->Serve(ServeOptions(Kind::kQuery, std::string(contract::kJournalChannel),
                                                     std::string(contract::kJobsGroup), 64),
                                        [this](Query query) { return OnJournal(std::move(query)); });
  REQUIRE(serving.ok());
  journal_ = *std::move(serving);
}

Awaitable<absl::StatusOr<Reply>> JobRig::OnJournal(Query query) {
  const auto question = contract::ParseJournalQuestion(query.message.body);
  if (!question.ok()) co_return question.status();
  absl::StatusOr<Reply> answer;
  if (const auto* begin = std::get_if<contract::Begin>(&*question)) {
    begins.push_back(*begin);
    answer = NextOf(begin_answers, Say(contract::BeginVerdict::kGo));
  } else {
    finishes.push_back(std::get<contract::Finish>(*question));
    answer = NextOf(finish_answers, Say(contract::FinishVerdict::kKept));
  }
  changed->Notify();
  co_return answer;
}

Awaitable<void> JobRig::Put(std::string job, std::string body, Tags tags) {
  std::vector<Outgoing> outgoing(1);
  Message& message = outgoing.front().message;
  message.id = job.empty() ? "strange" : job;
  message.body = std::move(body);
  message.tags = std::move(tags);
  if (!job.empty()) {
    message.tags["job"] = job;
    message.tags["query"] = job;
    message.tags["tenant"] = "default";
  }
  const auto sent = co_await broker->Send("chat_jobs", std::move(outgoing));
  REQUIRE(sent.ok());
}

Awaitable<absl::StatusOr<Reply>> JobRig::Ask(std::string body) {
  Query query(Kind::kQuery, Message("chat_requests", std::move(body)), Now() + kPatience);
  co_return co_await broker->Request(std::move(query));
}

void JobRig::Cancel(const std::string& query) {
  Message message("llm_control.w1", ToJson(contract::Cancel(query, UnixMillis() + 60'000)));
  message.tags["tenant"] = "default";
  REQUIRE(broker->Publish(std::move(message)).ok());
}

Awaitable<QueueInfo> JobRig::Info(std::string queue) {
  const auto info = co_await broker->Info(std::move(queue));
  if (!info.ok()) throw std::runtime_error(info.status().ToString());
  co_return *info;
}

JobRig::Answer Say(contract::Begun begun) {
  return [begun] { return Text(ToJson(begun)); };
}
JobRig::Answer Say(contract::BeginVerdict verdict) { return Say(contract::Begun(verdict)); }
JobRig::Answer Say(contract::FinishVerdict verdict) {
  return [verdict] { return Text(contract::ToJson(verdict)); };
}
// As the jobs service says it: a reply that was not executed.
JobRig::Answer Refuse(Fault fault, std::string why) {
  return [fault, why]() -> absl::StatusOr<Reply> {
    const absl::Status failure = MakeFault(fault, why);
    Reply reply;
    reply.error = why;
    reply.message.body = contract::ErrorBody("", failure);
    return reply;
  };
}

}  // namespace llm_router::test
