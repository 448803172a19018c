#include "client/job_convert.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "client/convert.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router::client {
namespace {

namespace tag = contract::tag;

// JobState is the contract's under a name that users may see.
static_assert(static_cast<int>(JobState::kQueued) == static_cast<int>(contract::JobState::kQueued));
static_assert(static_cast<int>(JobState::kCancelled) == static_cast<int>(contract::JobState::kCancelled));

// What goes on disk is text: other bytes would be replaced on the way.
absl::Status CheckUtf8(std::string_view what, std::string_view text) {
  const auto bad = FirstBadUtf8(text);
  if (!bad) return absl::OkStatus();
  return MakeFault(Fault::kInvalidRequest, fmt::format("{} is not UTF-8 at byte {}", what, *bad + 1));
}

int64_t UnixMillisOf(std::chrono::system_clock::time_point when) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

absl::Status WhyFailed(const contract::Job& job) {
  if (job.state == contract::JobState::kCancelled) {
    return MakeFault(Fault::kCancelled, fmt::format("job {} was cancelled", job.id));
  }
  if (!job.failures.empty()) return job.failures.back().why;
  return MakeFault(Fault::kInternal, fmt::format("job {} failed, and the server does not say why", job.id));
}

}  // namespace

std::string_view NameOf(JobState state) { return contract::NameOf(static_cast<contract::JobState>(state)); }
bool IsFinal(JobState state) { return contract::IsFinal(static_cast<contract::JobState>(state)); }

absl::StatusOr<contract::SubmitJob> ToSubmit(Question question, const JobOptions& job,
                                             const Options& options) {
  question.fail_fast = false;  // it waits for a worker
  question.timeout.reset();
  contract::SubmitJob ask;
  ask.route = question.route.empty() ? options.route : question.route;
  ASSIGN_OR_RETURN(Query query, ToQuery(std::move(question), options));
  ask.body = std::move(query.message.body);
  ask.tags = std::move(query.message.tags);
  if (!job.reply_to.empty()) {
    RETURN_IF_ERROR(contract::CheckReplyTo(job.reply_to));
    ask.tags[std::string(tag::kReplyTo)] = job.reply_to;
  }
  if (job.deadline) ask.tags[std::string(tag::kDeadline)] = fmt::format("{}", UnixMillisOf(*job.deadline));
  ask.tags[std::string(tag::kIdempotencyKey)] = job.idempotency_key.empty() ? NewId() : job.idempotency_key;
  RETURN_IF_ERROR(CheckUtf8("the question", ask.body));
  for (const auto& [key, value] : ask.tags) RETURN_IF_ERROR(CheckUtf8(key, value));
  return ask;
}

JobStatus ToStatus(const contract::Job& job) {
  JobStatus status;
  status.id = job.id;
  status.route = job.route;
  status.state = static_cast<JobState>(job.state);
  status.message_id = job.message_id;
  status.batch = job.batch;
  status.line = job.line;
  status.created_at = job.created_at;
  status.started_at = job.started_at;
  status.finished_at = job.finished_at;
  status.runs = job.runs;
  status.position = job.position;
  for (const contract::JobFailure& failure : job.failures) {
    status.failures.push_back(JobFailure{failure.at, ToError(failure.why)});
  }
  return status;
}

absl::StatusOr<Answer> ToAnswer(std::string_view dialect, contract::Job job) {
  if (job.state != contract::JobState::kCompleted && (!job.reply || job.reply->executed))
    return WhyFailed(job);
  if (!job.reply) return WhyFailed(job);
  Reply reply;
  reply.executed = job.reply->executed;
  reply.error = std::move(job.reply->error);
  reply.message.body = std::move(job.reply->body);
  reply.message.tags = std::move(job.reply->tags);
  if (dialect.empty()) dialect = DialectOfReply(reply.message.body);
  return ToAnswer(dialect, std::move(reply));
}

}  // namespace llm_router::client
