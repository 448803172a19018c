#include "router/worker/journal_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

// JSON would have U+FFFD in place of what is wrong, and the journal could not tell.
absl::StatusOr<contract::Begun> CheckSayable(const contract::Begin& begin) {
  const auto bad = begin.message ? FirstBadUtf8(begin.message->body) : std::nullopt;
  if (!bad) return contract::Begun();
  return MakeFault(Fault::kInvalidRequest,
                   fmt::format("the body is not UTF-8, first at byte {}: send text or JSON", *bad));
}

contract::Finish GiveUp(const contract::Begin& begin) {
  contract::Finish finish;
  finish.job = begin.job;
  finish.run = begin.run;
  finish.outcome = contract::Outcome::kAgain;
  finish.failure =
      MakeFault(Fault::kWorkerLost, "the worker got no answer to its begin and gave the job back");
  return finish;
}

// What can't be read is no answer: the message of the job stays where it is.
template <class Answer>
absl::StatusOr<Answer> ReadAnswer(const absl::StatusOr<Reply>& reply,
                                  absl::StatusOr<Answer> (*read)(std::string_view)) {
  RETURN_IF_ERROR(reply.status());
  if (!reply->executed) return contract::ParseError(reply->error, reply->message.body);
  absl::StatusOr<Answer> answer = read(reply->message.body);
  if (answer.ok()) return answer;
  return MakeFault(Fault::kInternal, fmt::format("the journal's answer: {}", MessageOf(answer.status())));
}

}  // namespace

bool IsRefusal(const absl::Status& failure) {
  const Fault fault = FaultOf(failure);
  return !failure.ok() && (fault == Fault::kInvalidRequest || fault == Fault::kTooLarge);
}

JournalClient::JournalClient(Executor executor, Broker& broker, JournalOptions options)
    : broker_(broker),
      options_(options),
      backoff_(options.first_backoff, options.longest_backoff),
      tasks_(executor) {}

size_t JournalClient::MayBegin(size_t wanted) const {
  if (answers_) return wanted;
  return mending_ || begins_ > 0 ? 0 : std::min<size_t>(wanted, 1);
}

template <class Answer>
Awaitable<absl::StatusOr<Answer>> JournalClient::Ask(std::string question,
                                                     absl::StatusOr<Answer> (*read)(std::string_view)) {
  Message message(std::string(contract::kJournalChannel), std::move(question));
  message.id = NewId();
  message.timestamp = UnixNanos();
  Query query(Kind::kQuery, std::move(message), Now() + options_.patience);
  const absl::StatusOr<Reply> reply = co_await broker_.Request(std::move(query));
  absl::StatusOr<Answer> answer = ReadAnswer(reply, read);
  if (answer.ok() || IsRefusal(answer.status())) {
    Heard();
  } else {
    Unheard(answer.status());
  }
  co_return answer;
}

Awaitable<absl::StatusOr<contract::Begun>> JournalClient::Begin(contract::Begin begin) {
  absl::StatusOr<contract::Begun> begun = CheckSayable(begin);
  if (!IsRefusal(begun.status())) begun = co_await Ask(ToJson(begin), &contract::ParseBegun);
  --begins_;
  if (!begun.ok() && !IsRefusal(begun.status()) && !begin.job.empty()) unanswered_.push_back(GiveUp(begin));
  if (on_change_) on_change_();
  co_return begun;
}

Awaitable<absl::StatusOr<contract::FinishVerdict>> JournalClient::Finish(contract::Finish finish) {
  const std::string question = ToJson(finish);
  FullJitter backoff(options_.first_backoff, options_.longest_backoff);
  while (true) {
    auto verdict = co_await Ask(question, &contract::ParseFinishVerdict);
    if (verdict.ok() || IsRefusal(verdict.status())) co_return verdict;
    const bool over = is_ending() && Now() >= std::max(ends_at_, last_heard_ + options_.patience_at_end);
    if (over || !co_await Sleep(Now() + backoff.Next())) co_return verdict;
  }
}

void JournalClient::Heard() {
  last_heard_ = Now();
  if (answers_ || !unanswered_.empty()) return;
  answers_ = true;
  backoff_.Reset();
  log::Info("the jobs service answers: jobs are taken again");
  if (on_change_) on_change_();
}

void JournalClient::Unheard(const absl::Status& why) {
  if (std::exchange(answers_, false)) {
    if (const auto left_out = silence_.Admit(Now())) {
      log::Warning("no jobs service answers, so no more jobs are taken until one does ({} more times): {}",
                   *left_out, MessageOf(why));
    }
  }
  if (!std::exchange(mending_, true)) tasks_.Spawn(Mend());
}

// After a wait, gives up the runs that may have begun; then the next begin is the probe.
Awaitable<void> JournalClient::Mend() {
  while (co_await Sleep(Now() + backoff_.Next())) {
    bool heard = true;
    while (heard && !unanswered_.empty()) {
      const auto verdict = co_await Ask(ToJson(unanswered_.front()), &contract::ParseFinishVerdict);
      heard = verdict.ok() || IsRefusal(verdict.status());
      if (!heard) continue;
      unanswered_.pop_front();
      Heard();
    }
    if (heard) break;
  }
  mending_ = false;
  if (on_change_) on_change_();
}

void JournalClient::BeginEnd() {
  if (!is_ending()) ends_at_ = Now() + options_.patience_at_end;
}

Awaitable<void> JournalClient::Stop() {
  on_change_ = nullptr;
  tasks_.Cancel();
  co_await tasks_.Join();
}

}  // namespace llm_router
