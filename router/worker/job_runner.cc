#include "router/worker/job_runner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/test_switch.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;
using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::Outcome;

// A provider that hangs gives its slot back in the end; a job may have an earlier deadline of its own.
constexpr auto kLongestRun = std::chrono::hours(1);
// Of a message that can't be settled as it should now.
constexpr Milliseconds kLater(5'000);
constexpr Milliseconds kMuchLater(60'000);

Settlement Ack() { return {}; }

Settlement Nack(Milliseconds delay) {
  Settlement settlement;
  settlement.verdict = Settlement::Verdict::kNack;
  settlement.delay = delay;
  return settlement;
}

Settlement Release() {
  Settlement settlement;
  settlement.verdict = Settlement::Verdict::kRelease;
  return settlement;
}

bool IsBusy(const absl::Status& failure) {
  const Fault fault = FaultOf(failure);
  return !failure.ok() && (fault == Fault::kProviderBusy || fault == Fault::kOverloaded);
}

// What a verdict other than `go` means for the message.
Settlement SettlementOf(const contract::Begun& begun) {
  if (begun.verdict == BeginVerdict::kGo) return Nack(kLater);  // of what is no job yet: a journal gone wrong
  if (begun.verdict != BeginVerdict::kBusy) return Ack();
  const Milliseconds wait = begun.wait.count() > 0 ? begun.wait : Milliseconds(1'000);
  return Nack(std::min(wait, kMuchLater));
}

Query QueryOf(Message message, const std::string& job) {
  message.tags[std::string(tag::kQuery)] = job;
  message.tags.try_emplace(std::string(tag::kTenant), contract::kDefaultTenant);
  return {Kind::kQuery, std::move(message), Now() + kLongestRun};
}

contract::JobReply FailedReply(std::string_view dialect, const absl::Status& failure) {
  contract::JobReply reply;
  reply.error = MessageOf(failure);
  reply.body = contract::ErrorBody(dialect, failure);
  reply.tags[std::string(tag::kContentType)] = contract::kJson;
  return reply;
}

contract::JobReply ReplyOf(Ran ran, std::string_view dialect) {
  if (!ran.reply.ok()) return FailedReply(dialect, ran.failure);
  contract::JobReply reply;
  reply.executed = ran.reply->executed;
  reply.error = std::move(ran.reply->error);
  reply.body = std::move(ran.reply->message.body);
  reply.tags = std::move(ran.reply->message.tags);
  return reply;
}

// A worker that stops gives its jobs back; but what may have been answered is not asked twice of a route
// whose jobs run at most once.
Outcome OutcomeOf(const Ran& ran, bool at_most_once) {
  if (ran.failure.ok()) return Outcome::kResult;
  const bool is_given_back = FaultOf(ran.failure) == Fault::kShuttingDown && !(at_most_once && ran.asked);
  return is_given_back || IsBusy(ran.failure) ? Outcome::kAgain : Outcome::kFailed;
}

}  // namespace

JobRunner::JobRunner(Broker& broker, JournalClient& journal, Runs& runs, const Route& route, Slots& slots,
                     JobRunnerOptions options)
    : broker_(broker),
      journal_(journal),
      runs_(runs),
      route_(route),
      slots_(slots),
      options_(std::move(options)),
      gate_(options_.first_backoff, options_.longest_backoff) {}

contract::Begin JobRunner::BeginOf(const Message& message, int64_t sent_at) const {
  contract::Begin begin;
  begin.job = TagOr(message.tags, tag::kJob);
  begin.run = NewId();
  begin.worker = options_.worker;
  begin.route = route_.name;
  if (!begin.job.empty()) return begin;
  contract::ForeignMessage& foreign = begin.message.emplace();
  foreign.id = message.id;
  foreign.sent_at = sent_at;
  foreign.body = message.body;
  foreign.tags = message.tags;
  foreign.tags.try_emplace(std::string(tag::kTenant), contract::kDefaultTenant);
  return begin;
}

Awaitable<void> JobRunner::Run(Delivery delivery, Slots::Slot slot, ProviderGate::Pass pass) {
  if (TestSwitch("acknowledge-first")) co_await Settle(delivery.receipt, Ack());
  contract::Begin begin = BeginOf(delivery.message, delivery.attributes.sent_at);
  absl::StatusOr<contract::Begun> begun = co_await journal_.Begin(begin);
  if (begun.ok() && begun->verdict == BeginVerdict::kUnknown && !begin.job.empty()) {
    delivery.message.tags.erase(std::string(tag::kJob));
    begin = BeginOf(delivery.message, delivery.attributes.sent_at);
    journal_.Expect();
    begun = co_await journal_.Begin(begin);
  }
  if (begun.ok() && begun->verdict == BeginVerdict::kGo && !begin.job.empty()) {
    co_return co_await RunBegun(std::move(delivery), std::move(begin), std::move(slot), pass);
  }
  (void)Slots::Slot(std::move(slot));
  gate_.NotAsked(pass);
  if (begun.ok()) {
    co_await Settle(delivery.receipt, SettlementOf(*begun));
  } else if (IsRefusal(begun.status())) {
    std::string reason(MessageOf(begun.status()));
    co_await Bury(std::move(delivery), std::move(reason));
  } else {
    co_await Settle(delivery.receipt, Release());
  }
}

Awaitable<void> JobRunner::RunBegun(Delivery delivery, contract::Begin begin, Slots::Slot slot,
                                    ProviderGate::Pass pass) {
  const std::string dialect(TagOr(delivery.message.tags, tag::kDialect));
  Query query = QueryOf(std::move(delivery.message), begin.job);
  Ran ran = co_await runs_.Run(route_, slots_, std::move(slot), std::move(query));
  const Milliseconds delay = TellGate(pass, ran);
  contract::Finish finish;
  finish.job = begin.job;
  finish.run = begin.run;
  finish.outcome = OutcomeOf(ran, route_.at_most_once);
  finish.failure = ran.failure;
  finish.reply = ReplyOf(std::move(ran), dialect);
  const bool again = finish.outcome == Outcome::kAgain;
  auto verdict = co_await journal_.Finish(finish);
  // An answer that the journal does not take, too large for one message say, is a failure with that reason.
  if (IsRefusal(verdict.status()) && !again) {
    finish.outcome = Outcome::kFailed;
    finish.failure = Annotate(verdict.status(), "the result can't be kept");
    finish.reply = FailedReply(dialect, finish.failure);
    verdict = co_await journal_.Finish(std::move(finish));
  }
  if (IsRefusal(verdict.status())) {
    log::Error("job {}: the jobs service refuses its outcome: {}", begin.job, MessageOf(verdict.status()));
    co_await Settle(delivery.receipt, Nack(kMuchLater));
  } else if (!verdict.ok()) {
    log::Warning("job {} goes back to its queue unfinished, for no jobs service answers: {}", begin.job,
                 MessageOf(verdict.status()));
    co_await Settle(delivery.receipt, Release());
  } else {
    co_await Settle(delivery.receipt, again && *verdict == FinishVerdict::kKept ? Nack(delay) : Ack());
  }
}

// Returns how long a job that comes again had better wait.
Milliseconds JobRunner::TellGate(const ProviderGate::Pass& pass, const Ran& ran) {
  if (IsBusy(ran.failure)) {
    const Milliseconds delay = gate_.Busy(pass, RetryAfterOf(ran.failure), Now());
    if (const auto left_out = busy_.Admit(Now())) {
      log::Info("jobs of route {} wait {} ms ({} more such): {}", route_.name, delay.count(), *left_out,
                MessageOf(ran.failure));
    }
    return delay;
  }
  const Fault fault = FaultOf(ran.failure);
  const bool is_left = !ran.failure.ok() && (fault == Fault::kCancelled || fault == Fault::kShuttingDown);
  if (ran.asked && !is_left) {
    gate_.Answered(pass);
  } else {
    gate_.NotAsked(pass);
  }
  return Milliseconds(0);
}

// To <route>_dead, with the reason. Twice there is better than not there: acknowledged only after it is.
Awaitable<void> JobRunner::Bury(Delivery delivery, std::string reason) {
  log::Warning("a message in {} is no job: {}", contract::JobsQueue(route_.name), reason);
  std::vector<Outgoing> dead(1);
  dead.front().message = std::move(delivery.message);
  dead.front().message.tags[std::string(tag::kReason)] = std::move(reason);
  const auto sent = co_await broker_.Send(contract::DeadQueue(route_.name), std::move(dead));
  const absl::Status status = sent.ok() ? sent->front().status : sent.status();
  if (!status.ok()) {
    log::Warning("not sent to {}, tried again later: {}", contract::DeadQueue(route_.name),
                 MessageOf(status));
  }
  co_await Settle(delivery.receipt, status.ok() ? Ack() : Nack(kLater));
}

// What can't be settled for good comes again, and `begin` knows of it. But a disk that is full does not give
// its message back, so that is tried until it has room.
Awaitable<void> JobRunner::Settle(Receipt receipt, Settlement settlement) {
  FullJitter backoff(options_.first_backoff, options_.longest_backoff);
  while (true) {
    std::vector<Receipt> receipts(1, receipt);
    const absl::Status status = co_await broker_.Settle(std::move(receipts), settlement);
    if (status.ok()) co_return;
    if (const auto left_out = unsettled_.Admit(Now())) {
      log::Warning("a message of {} is not settled ({} more): {}", contract::JobsQueue(route_.name),
                   *left_out, MessageOf(status));
    }
    const bool again = FaultOf(status) == Fault::kStorageFailed && !journal_.is_ending();
    if (!again || !co_await Sleep(Now() + backoff.Next())) co_return;
  }
}

}  // namespace llm_router
