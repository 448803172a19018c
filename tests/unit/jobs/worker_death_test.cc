// The dance of contract.md 5, cut between every two of its steps: by the worker's death, by the jobs
// service's restart, and by both. Whatever happens, the job has one result, and the provider is called again
// only where a worker died in the call.
#include <fmt/format.h>

#include <optional>
#include <string>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"
#include "tests/unit/jobs/jobs_rig.h"

namespace llm_router {
namespace {

using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::JobState;
using namespace test;

enum Step { kReceived, kBegan, kCalled, kFinished, kAcknowledged };

// Goes through the steps up to `last`, with the service restarted after `restart_after`.
class Dancer {
 public:
  Dancer(JobsRig& rig, std::string name) : rig_(rig), name_(std::move(name)) {}

  Awaitable<void> Dance(Step last, std::optional<Step> restart_after) {
    for (int step = kReceived; step <= last; ++step) {
      rig_.Beat(name_);
      if (!co_await Do(static_cast<Step>(step))) co_return;
      if (restart_after == step) {
        co_await rig_.Restart();
        rig_.Beat(name_);
      }
    }
  }

  // What its broker and the others see of its death.
  Awaitable<void> Die() {
    rig_.Beat(name_, 0, /*leaving=*/true);
    if (delivery_) (void)co_await rig_.Settle(*delivery_, Settlement::Verdict::kRelease);
  }

  int calls() const { return calls_; }

 private:
  Awaitable<bool> Do(Step step) {
    switch (step) {
      case kReceived:
        co_return co_await ReceiveOne();
      case kBegan:
        co_return co_await Begin();
      case kCalled:
        ++calls_;
        co_return true;
      case kFinished: {
        const auto verdict = co_await rig_.Finish(ResultOf(job_, run_));
        CHECK(verdict.ok());
        co_return verdict.ok();
      }
      case kAcknowledged: {
        const absl::Status settled = co_await rig_.Settle(*delivery_, Settlement::Verdict::kAck);
        CHECK(settled.ok());
        delivery_.reset();
        co_return true;
      }
    }
    co_return false;
  }

  Awaitable<bool> ReceiveOne() {
    auto got = co_await rig_.Receive();
    REQUIRE(got.size() == 1);
    delivery_ = std::move(got[0]);
    job_ = std::string(TagOr(delivery_->message.tags, contract::tag::kJob));
    run_ = fmt::format("run-of-{}", name_);
    co_return true;
  }

  // False when there is nothing to run: the message is settled then.
  Awaitable<bool> Begin() {
    const auto begun = co_await rig_.Begin(job_, run_, name_);
    REQUIRE(begun.ok());
    if (begun->verdict == BeginVerdict::kGo) co_return true;
    REQUIRE(begun->verdict != BeginVerdict::kBusy);
    (void)co_await rig_.Settle(*delivery_, Settlement::Verdict::kAck);
    delivery_.reset();
    co_return false;
  }

  JobsRig& rig_;
  const std::string name_;
  std::optional<Delivery> delivery_;
  std::string job_;
  std::string run_;
  int calls_ = 0;
};

TEST_CASE("whatever step a worker dies after and the jobs service restarts after, a job has its one result") {
  const int death = GENERATE(range(0, 5));
  const int restart = GENERATE(range(-1, 5));
  const bool at_most_once = GENERATE(false, true);
  Run([=](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    rig.options.policies.others.at_most_once = at_most_once;
    REQUIRE(co_await rig.Open());
    rig.Beat("first");
    const std::string job = co_await rig.Submit("prompt");
    const auto restart_after = restart < 0 ? std::nullopt : std::optional(static_cast<Step>(restart));
    Dancer first(rig, "first");
    co_await first.Dance(static_cast<Step>(death), restart_after);
    co_await first.Die();

    const bool in_the_call = death == kBegan || death == kCalled;
    Dancer second(rig, "second");
    const bool is_over = death >= kFinished || (at_most_once && in_the_call);
    if (!is_over) co_await second.Dance(kAcknowledged, restart_after);
    const JobState wanted = at_most_once && in_the_call ? JobState::kFailed : JobState::kCompleted;
    const contract::Job ended = co_await rig.Await(job, wanted);
    REQUIRE(ended.reply);
    if (wanted == JobState::kCompleted)
      CHECK(ended.reply->body == fmt::format(R"({{"of":"run-of-{}"}})", is_over ? "first" : "second"));
    CHECK(first.calls() + second.calls() == (in_the_call && !at_most_once ? (death == kCalled ? 2 : 1)
                                             : in_the_call                ? (death == kCalled ? 1 : 0)
                                                                          : 1));
    // No other result is taken, from whoever.
    CHECK(*co_await rig.Finish(ResultOf(job, "run-of-a-third")) == FinishVerdict::kStale);
    CHECK((co_await rig.Begin(job, "run-of-a-third", "third"))->verdict == BeginVerdict::kDone);
    co_await rig.Close();
  });
}

TEST_CASE("a worker that dies in every run of a job uses its runs up") {
  Run([](Loop& loop) -> Awaitable<void> {
    JobsRig rig(loop);
    rig.options.policies.others.runs = 3;
    REQUIRE(co_await rig.Open());
    rig.Beat("w0");
    const std::string job = co_await rig.Submit("prompt");
    for (int i = 0; i < 3; ++i) {
      Dancer worker(rig, fmt::format("w{}", i));
      co_await worker.Dance(kCalled, std::nullopt);
      co_await worker.Die();
    }
    const contract::Job failed = co_await rig.Await(job, JobState::kFailed);
    CHECK(failed.runs == 3);
    REQUIRE(failed.failures.size() == 3);
    CHECK(FaultOf(failed.failures[0].why) == Fault::kWorkerLost);
    co_await rig.Close();
  });
}

}  // namespace
}  // namespace llm_router
