#include "client/job.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/status.h"
#include "client/convert.h"
#include "client/job_convert.h"
#include "client/jobs_link.h"
#include "client/pause.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

using Op = contract::AboutJob::Op;

absl::StatusOr<contract::Job> ReadJob(const absl::StatusOr<std::string>& body) {
  RETURN_IF_ERROR(body.status());
  ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(*body, "a job"));
  return contract::ParseJob(json);
}

absl::StatusOr<contract::Job> AskAbout(JobsLink& link, Op op, const std::string& id, Repeat repeat,
                                       const JobWait& wait = {}, TimePoint until = TimePoint::max()) {
  return ReadJob(link.Ask(ToJson(contract::AboutJob(op, id)), repeat, wait.canceller, until));
}

Result<JobStatus> ToResult(const absl::StatusOr<contract::Job>& job) {
  if (!job.ok()) return ToError(job.status());
  return ToStatus(*job);
}

absl::Status StillGoing(const std::string& id, JobState state) {
  return MakeFault(Fault::kTimeout,
                   fmt::format("job {} is {} still and goes on: wait for it again", id, NameOf(state)));
}

// Polls until it is over.
absl::Status WaitForEnd(JobsLink& link, const std::string& id, const JobWait& wait, TimePoint until) {
  Backoff backoff;
  while (true) {
    ASSIGN_OR_RETURN(const contract::Job job, AskAbout(link, Op::kStatus, id, Repeat::kYes, wait, until));
    if (contract::IsFinal(job.state)) return absl::OkStatus();
    const TimePoint next = Now() + backoff.Next();
    if (next >= until) return StillGoing(id, static_cast<JobState>(job.state));
    if (!PauseUntil(next, wait.canceller)) {
      return MakeFault(Fault::kCancelled, fmt::format("the wait was cancelled; job {} goes on", id));
    }
  }
}

}  // namespace

Job::Job(std::string id, std::string dialect, std::shared_ptr<JobsLink> link)
    : id_(std::move(id)), dialect_(std::move(dialect)), link_(std::move(link)) {}

Result<JobStatus> Job::Status() const { return ToResult(AskAbout(*link_, Op::kStatus, id_, Repeat::kYes)); }

Result<Answer> Job::Wait(const JobWait& wait) const {
  const TimePoint until = EndOf(wait.timeout);
  const absl::Status over = WaitForEnd(*link_, id_, wait, until);
  if (!over.ok()) return ToError(over);
  auto job = AskAbout(*link_, Op::kResult, id_, Repeat::kYes, wait);
  if (!job.ok()) return ToError(job.status());
  auto answer = ToAnswer(dialect_, *std::move(job));
  if (!answer.ok()) return ToError(answer.status());
  return *std::move(answer);
}

Result<JobStatus> Job::Cancel() const { return ToResult(AskAbout(*link_, Op::kCancel, id_, Repeat::kYes)); }

// Repeated, it could queue a second failure again.
Result<JobStatus> Job::Retry() const { return ToResult(AskAbout(*link_, Op::kRetry, id_, Repeat::kNo)); }

}  // namespace llm_router::client
