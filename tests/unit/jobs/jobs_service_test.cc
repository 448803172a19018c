// The jobs service as its callers and workers meet it: on llm_jobs, llm_journal and the routes' queues.
#include "router/jobs/jobs_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker_adapters/base/one_shot.h"
#include "broker_adapters/base/status.h"
#include "proto/batch.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/jobs/jobs_rig.h"

namespace llm_router {
namespace {

using contract::AboutJob;
using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::JobState;
using contract::Json;
using namespace test;

std::string JobOf(const Delivery& delivery) {
  return std::string(TagOr(delivery.message.tags, contract::tag::kJob));
}

TEST_CASE("a job that was submitted comes to a worker with its tags and our stamps, and its result is read") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    rig.Beat("w");
    const std::string id =
        co_await rig.Submit("prompt", {{"model", "gpt"}, {"job", "forged"}, {"tenant", "forged"}});
    auto got = co_await rig.Receive();
    REQUIRE(got.size() == 1);
    const Message& message = got[0].message;
    CHECK(message.id == id);
    CHECK(message.body == "prompt");
    CHECK(message.tags == Tags{{"job", id}, {"model", "gpt"}, {"query", id}, {"tenant", "acme"}});
    CHECK((co_await rig.Begin(id, "r", "w"))->verdict == BeginVerdict::kGo);
    CHECK((co_await rig.Find(id)).state == JobState::kRunning);
    CHECK(*co_await rig.Finish(ResultOf(id, "r")) == FinishVerdict::kKept);
    (void)co_await rig.Settle(got[0], Settlement::Verdict::kAck);
    const contract::Job job = co_await rig.Find(id);
    CHECK(job.state == JobState::kCompleted);
    CHECK(job.reply->body == R"({"of":"r"})");
    CHECK_FALSE((co_await rig.Ask(ToJson(AboutJob(AboutJob::Op::kStatus, id)), "other")).ok());
    co_await rig.Close();
  });
}

TEST_CASE("what no worker could read is refused at once, and so is a route that nobody has") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    contract::SubmitJob ask;
    ask.route = "openai";
    ask.body = "prompt";
    ask.tags = {{"reply-to", "openai_jobs"}};
    CHECK(FaultOf((co_await rig.Ask(ToJson(ask))).status()) == Fault::kInvalidRequest);
    ask.tags = {{"temperature", "hot"}};
    CHECK(FaultOf((co_await rig.Ask(ToJson(ask))).status()) == Fault::kInvalidRequest);
    ask.tags = {};
    ask.body = "";
    CHECK(FaultOf((co_await rig.Ask(ToJson(ask))).status()) == Fault::kInvalidRequest);
    ask.body = "prompt";
    ask.route = "nobodys";
    CHECK(FaultOf((co_await rig.Ask(ToJson(ask))).status()) == Fault::kUnknownRoute);
    CHECK(FaultOf((co_await rig.Ask("{}")).status()) == Fault::kInvalidRequest);
    co_await rig.Close();
  });
}

TEST_CASE("a message that a stranger put into the queue is taken over once, and found by its MessageID") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    contract::Begin begin;
    begin.run = "r";
    begin.worker = "w";
    begin.route = "openai";
    contract::ForeignMessage& message = begin.message.emplace();
    message.id = "theirs";
    message.sent_at = 17;
    message.body = "prompt";
    message.tags = {{"tenant", "acme"}};
    for (int i = 0; i < 2; ++i) {
      Query query(Kind::kQuery, Message(std::string(contract::kJournalChannel), ToJson(begin)),
                  Now() + std::chrono::seconds(10));
      const auto reply = co_await rig.broker().Request(std::move(query));
      CHECK(contract::ParseBegun(reply->message.body)->verdict == BeginVerdict::kAdopted);
    }
    const contract::Job job = co_await rig.Find("theirs");
    CHECK(job.message_id == "theirs");
    CHECK((co_await rig.Ask(ToJson(contract::ListJobs())))->at("jobs").size() == 1);
    rig.Beat("w");
    auto got = co_await rig.Receive();
    REQUIRE(got.size() == 1);
    CHECK(JobOf(got[0]) == job.id);
    message.body = "";
    message.sent_at = 18;
    Query query(Kind::kQuery, Message(std::string(contract::kJournalChannel), ToJson(begin)),
                Now() + std::chrono::seconds(10));
    const auto refused = co_await rig.broker().Request(std::move(query));
    CHECK_FALSE(refused->executed);
    CHECK(FaultOf(contract::ParseError(refused->error, refused->message.body)) == Fault::kInvalidRequest);
    co_await rig.Close();
  });
}

TEST_CASE("the queue holds twice what the workers can do, and no more; without a worker, nothing") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    for (int i = 0; i < 9; ++i) (void)co_await rig.Submit(fmt::format("prompt {}", i));
    CHECK((co_await rig.store().Counts())->at(0).fed == 0);
    rig.Beat("w", 2);
    std::vector<Delivery> got;
    while (got.size() < 4) {
      for (Delivery& delivery : co_await rig.Receive(10)) got.push_back(std::move(delivery));
    }
    CHECK(got.size() == 4);
    (void)co_await rig.AwaitFed(4);
    const std::string first = JobOf(got[0]);
    (void)co_await rig.Begin(first, "r", "w");
    (void)co_await rig.Finish(ResultOf(first, "r"));
    auto next = co_await rig.Receive();
    REQUIRE(next.size() == 1);
    CHECK(next[0].message.body == "prompt 4");
    co_await rig.Close();
  });
}

TEST_CASE("routes.*.job_concurrency bounds what the workers have") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    rig.options.job_concurrency["openai"] = 1;
    REQUIRE(co_await rig.Open());
    rig.Beat("w", 100);
    for (int i = 0; i < 3; ++i) (void)co_await rig.Submit("prompt");
    auto got = co_await rig.Receive(10);
    REQUIRE(got.size() == 1);
    CHECK((co_await rig.AwaitFed(1)).unfed == 2);
    co_await rig.Close();
  });
}

TEST_CASE("what the queue lost is fed again") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    rig.Beat("w");
    const std::string id = co_await rig.Submit("prompt");
    auto got = co_await rig.Receive();
    REQUIRE(got.size() == 1);
    // As if by somebody who never asked the journal.
    (void)co_await rig.Settle(got[0], Settlement::Verdict::kAck);
    got = co_await rig.Receive();
    REQUIRE(got.size() == 1);
    CHECK(JobOf(got[0]) == id);
    co_await rig.Close();
  });
}

TEST_CASE("a running job that is cancelled is over at once, and its worker is told") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    OneShot<Message> told(rig.executor());
    auto control = co_await rig.broker().Subscribe(contract::WorkerControlChannel("w"), "",
                                                   [&](const Message& event) { told.Set(event); });
    rig.Beat("w");
    const std::string id = co_await rig.Submit("prompt");
    (void)co_await rig.Begin(id, "r", "w");
    const auto cancelled = co_await rig.Ask(ToJson(AboutJob(AboutJob::Op::kCancel, id)));
    CHECK(cancelled->at("state") == "cancelled");
    const auto event = co_await told.Wait(Now() + std::chrono::seconds(10));
    REQUIRE(event);
    CHECK(std::get<contract::Cancel>(*contract::ParseControl(event->body)).query == id);
    CHECK(TagOr(event->tags, contract::tag::kTenant) == "acme");
    CHECK(*co_await rig.Finish(ResultOf(id, "r")) == FinishVerdict::kStale);
    CHECK((co_await rig.Ask(ToJson(AboutJob(AboutJob::Op::kRetry, id))))->at("state") == "queued");
    control->reset();
    co_await rig.Close();
  });
}

TEST_CASE("a result goes to the queue that reply-to names, with the job's id") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    rig.Beat("w");
    const std::string id = co_await rig.Submit("prompt", {{"reply-to", "results"}});
    (void)co_await rig.Begin(id, "r", "w");
    contract::Finish finish = ResultOf(id, "r");
    finish.reply.tags = {{"provider", "openai"}};
    (void)co_await rig.Finish(finish);
    ReceiveOptions receiving;
    receiving.wait = std::chrono::seconds(10);
    auto got = co_await rig.broker().Receive("results", receiving);
    REQUIRE(got->size() == 1);
    CHECK(got->at(0).message.id == id);
    CHECK(got->at(0).message.body == R"({"of":"r"})");
    CHECK(TagOr(got->at(0).message.tags, "provider") == "openai");
    CHECK(TagOr(got->at(0).message.tags, "job") == id);
    co_await rig.Close();
  });
}

TEST_CASE("a job whose deadline passed fails with timeout, whoever waits for it") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    const std::string id = co_await rig.Submit("prompt", {{"deadline", std::to_string(UnixMillis() + 1)}});
    const contract::Job job = co_await rig.Await(id, JobState::kFailed);
    CHECK(job.reply->error == "the job's deadline passed before it was done");
    co_await rig.Close();
  });
}

TEST_CASE("a batch is filled, run, watched, read and survives a restart at any of it") {
  const int restart = GENERATE(range(0, 5));
  Run([restart](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    contract::CreateBatch create;
    create.options.format = contract::BatchFormat::kText;
    create.options.route = "openai";
    const auto made = co_await rig.Ask(ToJson(create));
    REQUIRE(made.ok());
    contract::AppendLines append;
    append.batch = made->at("id");
    for (int i = 0; i < 5; ++i) append.data += fmt::format("prompt {}\n", i);
    if (restart == 0) co_await rig.Restart();
    CHECK((co_await rig.Ask(ToJson(append)))->at("next_line") == 6);
    if (restart == 1) co_await rig.Restart();
    CHECK((co_await rig.Ask(ToJson(append)))->at("next_line") == 6);
    using AboutBatch = contract::AboutBatch;
    const auto sealed = co_await rig.Ask(ToJson(AboutBatch(AboutBatch::Op::kSeal, append.batch)));
    CHECK(sealed->at("status") == "in_progress");
    if (restart == 2) co_await rig.Restart();
    rig.Beat("w");
    std::set<std::string> finished;
    while (finished.size() < 5) {
      for (const Delivery& delivery : co_await rig.Receive(5)) {
        const std::string job = JobOf(delivery);
        CHECK(TagOr(delivery.message.tags, "priority") == "batch");
        const auto begun = co_await rig.Begin(job, "run-of-" + job, "w");
        if (begun->verdict == BeginVerdict::kGo) {
          if (restart == 3 && finished.size() == 2) {
            co_await rig.Restart();
            rig.Beat("w");
          }
          CHECK(*co_await rig.Finish(ResultOf(job, "run-of-" + job)) == FinishVerdict::kKept);
          finished.insert(job);
        }
        (void)co_await rig.Settle(delivery, Settlement::Verdict::kAck);
      }
    }
    if (restart == 4) co_await rig.Restart();
    const auto status = co_await rig.Ask(ToJson(AboutBatch(AboutBatch::Op::kStatus, append.batch)));
    CHECK(status->at("status") == "completed");
    CHECK(status->at("request_counts") ==
          Json{{"total", 5}, {"completed", 5}, {"failed", 0}, {"running", 0}});
    contract::ReadLines read;
    read.batch = append.batch;
    CHECK((co_await rig.Ask(ToJson(read)))->at("lines").size() == 5);
    co_await rig.Close();
  });
}

TEST_CASE("a batch that is cancelled ends, those at work too") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    REQUIRE(co_await rig.Open());
    contract::CreateBatch create;
    create.options.format = contract::BatchFormat::kText;
    create.options.route = "openai";
    const auto made = co_await rig.Ask(ToJson(create));
    contract::AppendLines append;
    append.batch = made->at("id");
    append.data = "one\ntwo\nthree\n";
    (void)co_await rig.Ask(ToJson(append));
    using AboutBatch = contract::AboutBatch;
    (void)co_await rig.Ask(ToJson(AboutBatch(AboutBatch::Op::kSeal, append.batch)));
    rig.Beat("w");
    auto got = co_await rig.Receive();
    REQUIRE_FALSE(got.empty());
    (void)co_await rig.Begin(JobOf(got[0]), "r", "w");
    (void)co_await rig.Ask(ToJson(AboutBatch(AboutBatch::Op::kCancel, append.batch)));
    (void)co_await rig.Await(JobOf(got[0]), JobState::kCancelled);
    CHECK((co_await rig.Begin(JobOf(got[0]), "r2", "w"))->verdict == BeginVerdict::kCancelled);
    co_await rig.Close();
  });
}

}  // namespace
}  // namespace llm_router
