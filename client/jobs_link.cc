#include "client/jobs_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "client/convert.h"
#include "client/pause.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

// Brokers hold a query that nobody serves. A jobs service that runs answers within moments: so one that was
// never met is not there.
constexpr std::chrono::seconds kFirstAnswer{10};

Query ToJobsQuery(std::string body, TimePoint deadline) {
  Query query(Kind::kQuery, Message(std::string(contract::kJobsChannel), std::move(body)), deadline);
  query.message.id = NewId();
  query.message.timestamp = UnixNanos();
  query.message.tags = {{std::string(contract::tag::kContentType), std::string(contract::kJson)}};
  return query;
}

}  // namespace

absl::StatusOr<std::string> JobsLink::Ask(std::string ask, Repeat repeat, const Canceller& canceller,
                                          TimePoint until) {
  RETURN_IF_ERROR(connection_->usable());
  RETURN_IF_ERROR(CheckTimeout(options().timeout));
  until = std::min(until, Now() + options().timeout);
  Backoff backoff;
  while (true) {
    if (canceller.cancelled()) return MakeFault(Fault::kCancelled, "cancelled before it was asked");
    auto answer = AskOnce(ask, until, canceller);
    if (answer.ok() || repeat == Repeat::kNo || !MayPass(answer.status())) return answer;
    const TimePoint again =
        Now() + std::max(backoff.Next(), RetryAfterOf(answer.status()).value_or(Milliseconds(0)));
    if (again >= until) return answer;
    if (!PauseUntil(again, canceller))
      return MakeFault(Fault::kCancelled, "cancelled before the answer came");
  }
}

absl::StatusOr<std::string> JobsLink::AskOnce(const std::string& ask, TimePoint until,
                                              const Canceller& canceller) {
  const TimePoint deadline = met_ ? until : std::min(until, Now() + kFirstAnswer);
  auto reply = connection_->Ask(ToJobsQuery(ask, deadline), canceller);
  if (!reply.ok()) return Explain(std::move(reply).status());
  met_ = true;
  if (reply->executed) return std::move(reply->message.body);
  if (reply->error.empty()) reply->error = "the jobs service failed and did not say why";
  return contract::ParseError(reply->error, reply->message.body);
}

bool JobsLink::MayPass(const absl::Status& failure) const {
  const Fault fault = FaultOf(failure);
  if (fault == Fault::kWorkerLost || fault == Fault::kShuttingDown) return true;
  return fault == Fault::kEngineUnavailable && met_;
}

absl::Status JobsLink::Explain(absl::Status failure) const {
  if (FaultOf(failure) != Fault::kTimeout || met_) return failure;
  return MakeFault(
      Fault::kTimeout,
      fmt::format("no jobs service answered at {}: `llm-router serve` runs one, with --roles the role "
                  "is named jobs",
                  options().address));
}

}  // namespace llm_router::client
