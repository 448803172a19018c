// Jobs: what callers ask `llm_jobs` about one, and what they are told.
//
// A job is a durable query: acknowledged means on disk, and it has exactly one result. Each question is a
// query whose body is a JSON object with an `op`; so is its reply's body. Values and pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/tags.h"
#include "proto/json_fields.h"

namespace llm_router::contract {

enum class JobState { kQueued, kRunning, kCompleted, kFailed, kCancelled };
std::string_view NameOf(JobState state);
std::optional<JobState> JobStateNamed(std::string_view name);
inline bool IsFinal(JobState state) { return state >= JobState::kCompleted; }

// The reply that a job got, as a query's caller would have got it.
struct JobReply {
  JobReply() = default;

  bool executed = false;
  std::string error;
  std::string body;
  Tags tags;
};

Json ToJsonValue(const JobReply& reply);
JobReply ParseJobReply(const Json& object);

// Why one run of it failed.
struct JobFailure {
  JobFailure() = default;
  JobFailure(int64_t failed_at, absl::Status failure) : at(failed_at), why(std::move(failure)) {}

  int64_t at = 0;  // Unix seconds
  absl::Status why;
};

// A job as its caller sees it. Times are Unix seconds, 0 = not yet.
struct Job {
  Job() = default;

  std::string id;
  std::string route;
  JobState state = JobState::kQueued;
  std::string message_id;  // its sender's; empty: none
  std::string batch;       // it is a line of; empty: none
  int64_t line = 0;        // of the batch, from 1
  int64_t created_at = 0;
  int64_t started_at = 0;  // its last run
  int64_t finished_at = 0;
  int64_t runs = 0;                  // provider busy uses up none
  std::optional<int64_t> position;   // while queued: how many of its route go before it
  std::vector<JobFailure> failures;  // of its runs, oldest first
  std::optional<JobReply> reply;     // op `result`, once it is final
};
Json ToJsonValue(const Job& job);
std::string ToJson(const Job& job);
absl::StatusOr<Job> ParseJob(const Json& object);

// ---- questions ----

// Body and tags as those of a query. The same `idempotency-key` of the same tenant is the same job.
struct SubmitJob {
  SubmitJob() = default;

  std::string route;
  std::string body;  // UTF-8
  Tags tags;
};

// `job`: its id, or the MessageID it was sent with.
struct AboutJob {
  enum class Op { kStatus, kResult, kCancel, kRetry };
  AboutJob() = default;
  AboutJob(Op wanted, std::string which) : op(wanted), job(std::move(which)) {}

  Op op = Op::kStatus;
  std::string job;
};

// Those that are no lines of batches, newest first.
struct ListJobs {
  ListJobs() = default;

  std::optional<JobState> state;
  std::string route;  // empty: any
  std::string after;  // a job's id; empty: from the newest on
  int64_t limit = 20;
};
struct JobPage {
  JobPage() = default;

  std::vector<Job> jobs;
  bool has_more = false;
};

std::string ToJson(const SubmitJob& ask);
std::string ToJson(const AboutJob& ask);
std::string ToJson(const ListJobs& ask);
std::string ToJson(const JobPage& page);
absl::StatusOr<JobPage> ParseJobPage(std::string_view body);

inline constexpr int64_t kMostListed = 100;

}  // namespace llm_router::contract
