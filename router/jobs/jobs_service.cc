#include "router/jobs/jobs_service.h"

#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/task_group.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/jobs/census.h"
#include "router/jobs/feeder.h"
#include "router/jobs/journal.h"
#include "router/jobs/outbox.h"
#include "router/jobs/questions.h"
#include "router/jobs/run_life.h"
#include "router/jobs/upkeep.h"
#include "router/roster/roster.h"

namespace llm_router {
namespace {

constexpr size_t kQuestionsAtOnce = 256;
constexpr size_t kJournalAtOnce = 4'096;  // as many as workers end jobs at the same time
constexpr auto kBeatEvery = std::chrono::seconds(1);
constexpr auto kRivalAnswersIn = std::chrono::seconds(2);

Reply ReplyOf(absl::StatusOr<std::string> body) {
  Reply reply;
  reply.executed = body.ok();
  if (!body.ok()) reply.error = std::string(MessageOf(body.status()));
  reply.message.body =
      body.ok() ? *std::move(body) : contract::ErrorBody(contract::dialect::kText, body.status());
  reply.message.tags[std::string(contract::tag::kContentType)] = contract::kJson;
  return reply;
}

// Whether one answers; of those that start just now none does yet.
Awaitable<bool> HasAnswer(Broker& broker) {
  Query query(Kind::kQuery, Message(std::string(contract::kJobsChannel), ToJson(contract::ListJobs())),
              Now() + kRivalAnswersIn);
  query.message.id = NewId();
  co_return (co_await broker.Request(std::move(query))).ok();
}

class Service final : public JobsService {
 public:
  Service(Executor executor, Broker& broker, Store& store, JobsOptions options)
      : broker_(broker),
        options_(std::move(options)),
        roster_(broker, executor),
        life_(roster_, options_.name, options_.grace),
        feeder_(executor, broker, store, roster_, options_),
        census_(executor, broker, store, roster_, options_),
        outbox_(executor, broker, store, options_),
        upkeep_(executor, broker, store, life_, options_, [this] { Changed(); }),
        journal_(store, life_, options_, [this] { Changed(); }),
        questions_(broker, store, roster_, options_, Effects()),
        heartbeat_(executor) {
    roster_.OnBeat([this] { Heard(); });
  }

  Awaitable<absl::Status> Open() {
    roster_.Start();
    // So that it listens where subscribing takes no time, and the first beats are heard.
    (void)co_await boost::asio::post(heartbeat_.executor(), kUseTuple);
    heartbeat_.Spawn(BeatEverySecond());
    if (options_.may_have_rivals) CO_RETURN_IF_ERROR(co_await GiveWay());
    feeder_.Start();
    census_.Start();
    outbox_.Start();
    upkeep_.Start();
    CO_RETURN_IF_ERROR(co_await Serve(contract::kJournalChannel, kJournalAtOnce, journal_, journal_served_));
    co_return co_await Serve(contract::kJobsChannel, kQuestionsAtOnce, questions_, questions_served_);
  }

  Awaitable<void> Stop() override {
    if (questions_served_) co_await questions_served_->Drain();
    if (journal_served_) co_await journal_served_->Drain();
    co_await feeder_.Stop();
    co_await census_.Stop();
    co_await upkeep_.Stop();
    co_await outbox_.Stop();
    heartbeat_.Cancel();
    co_await heartbeat_.Join();
    Beat(/*leaving=*/true);
    co_await roster_.Stop();
    questions_served_.reset();
    journal_served_.reset();
  }

 private:
  // A store has one jobs service, and callers must reach that one. Of those that start in the same moment,
  // which hear each other's beats while they ask, the one whose name comes first goes on.
  Awaitable<absl::Status> GiveWay() {
    const bool has_rival = co_await HasAnswer(broker_) || roster_.HasJobsServiceBefore(options_.name);
    if (!has_rival) co_return absl::OkStatus();
    co_return MakeFault(
        Fault::kInvalidRequest,
        "another jobs service is on this broker: run one, and leave jobs out of --roles here");
  }

  template <class Answerer>
  Awaitable<absl::Status> Serve(std::string_view channel, size_t capacity, Answerer& answerer,
                                SubscriptionPtr& served) {
    ServeOptions serving(Kind::kQuery, std::string(channel), std::string(contract::kJobsGroup), capacity);
    auto subscription = co_await broker_.Serve(std::move(serving),
                                               [&answerer](Query query) -> Awaitable<absl::StatusOr<Reply>> {
                                                 return Answer(answerer, std::move(query));
                                               });
    if (!subscription.ok()) co_return Annotate(subscription.status(), channel);
    served = *std::move(subscription);
    co_return absl::OkStatus();
  }

  template <class Answerer>
  static Awaitable<absl::StatusOr<Reply>> Answer(Answerer& answerer, Query query) {
    co_return ReplyOf(co_await answerer.Answer(query.message));
  }

  QuestionEffects Effects() {
    QuestionEffects effects;
    effects.changed = [this] { Changed(); };
    effects.ending = [this] { upkeep_.Wake(); };
    effects.is_kept = [this](std::string_view route) { return feeder_.Knows(route); };
    return effects;
  }

  void Changed() {
    feeder_.Wake();
    outbox_.Wake();
  }

  // The first beats of workers after a start are waited for by jobs.
  void Heard() { life_.Listen(); }

  Awaitable<void> BeatEverySecond() {
    do Beat(/*leaving=*/false);
    while (co_await Sleep(Now() + kBeatEvery));
  }

  void Beat(bool leaving) {
    contract::Heartbeat beat;
    beat.worker = options_.name;
    beat.leaving = leaving;
    beat.jobs = true;
    const auto sent = broker_.Publish(Message(std::string(contract::kHeartbeatChannel), ToJson(beat)));
    if (!sent.ok()) log::Warning("heartbeat not sent: {}", MessageOf(sent));
  }

  Broker& broker_;
  const JobsOptions options_;
  Roster roster_;
  RunLife life_;
  Feeder feeder_;
  Census census_;
  Outbox outbox_;
  Upkeep upkeep_;
  Journal journal_;
  Questions questions_;
  TaskGroup heartbeat_;
  SubscriptionPtr journal_served_;
  SubscriptionPtr questions_served_;
};

}  // namespace

Awaitable<absl::StatusOr<std::unique_ptr<JobsService>>> JobsService::Start(Executor executor, Broker& broker,
                                                                           Store& store,
                                                                           JobsOptions options) {
  auto service = std::make_unique<Service>(executor, broker, store, std::move(options));
  absl::Status opened = co_await service->Open();
  if (!opened.ok()) {
    co_await service->Stop();
    co_return opened;
  }
  co_return service;
}

}  // namespace llm_router
