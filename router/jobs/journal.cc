#include "router/jobs/journal.h"

#include <utility>
#include <variant>

#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "router/jobs/new_job.h"

namespace llm_router {

Awaitable<absl::StatusOr<std::string>> Journal::Answer(const Message& question) {
  CO_ASSIGN_OR_RETURN(auto ask, contract::ParseJournalQuestion(question.body));
  if (auto* finish = std::get_if<contract::Finish>(&ask)) co_return co_await Finish(std::move(*finish));
  auto& begin = std::get<contract::Begin>(ask);
  if (begin.message) co_return co_await Adopt(std::move(begin));
  co_return co_await Begin(std::move(begin));
}

// The store knows which run lives for all it was told; whether its worker does, the heartbeats know.
Awaitable<absl::StatusOr<std::string>> Journal::Begin(contract::Begin ask) {
  BeginRun begin;
  begin.policy = options_.policies.Of(ask.route);
  begin.ask = std::move(ask);
  auto answer = co_await store_.Begin(begin, options_.unix_ms());
  if (answer.ok() && !answer->run.empty() && life_.IsDead(answer->worker)) {
    begin.dead_run = answer->run;
    answer = co_await store_.Begin(std::move(begin), options_.unix_ms());
  }
  if (!answer.ok()) co_return answer.status();
  const contract::BeginVerdict verdict = answer->begun.verdict;
  if (verdict != contract::BeginVerdict::kGo && verdict != contract::BeginVerdict::kBusy) changed_();
  co_return ToJson(answer->begun);
}

Awaitable<absl::StatusOr<std::string>> Journal::Adopt(contract::Begin ask) {
  contract::ForeignMessage& message = *ask.message;
  std::string tenant(TagOr(message.tags, contract::tag::kTenant, contract::kDefaultTenant));
  CO_ASSIGN_OR_RETURN(NewJob job, MakeNewJob(std::move(tenant), std::move(ask.route), std::move(message.body),
                                             std::move(message.tags)));
  job.message_id = std::move(message.id);
  job.sent_at = message.sent_at;
  const auto kept = co_await store_.Submit(std::move(job), options_.unix_ms());
  if (!kept.ok()) co_return kept.status();
  changed_();
  co_return ToJson(contract::Begun(contract::BeginVerdict::kAdopted));
}

Awaitable<absl::StatusOr<std::string>> Journal::Finish(contract::Finish ask) {
  constexpr int kSteps = 1'000;
  FinishRun finish;
  finish.ask = std::move(ask);
  finish.policies = options_.policies;
  finish.jitter = static_cast<double>(RandomUpTo(Milliseconds(kSteps)).count()) / kSteps;
  const auto verdict = co_await store_.Finish(std::move(finish), options_.unix_ms());
  if (!verdict.ok()) co_return verdict.status();
  changed_();
  co_return ToJson(*verdict);
}

}  // namespace llm_router
