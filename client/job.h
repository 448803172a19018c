// Job: a question that the server has on disk. Once Submit has returned it, it survives every restart and has
// exactly one result.
//
//   auto job = client.Submit(question);         // on disk now
//   if (job.ok()) const auto answer = job->Wait();
//
// A handle is small: copy it, move it, drop it (the job goes on; Client::FindJob finds it again). It uses the
// connection of the Client that gave it, and fails with kCancelled once that one is gone. Any thread. Every
// call may be repeated; a server that restarts in the middle is waited for, at most Options::timeout. C++17,
// standard library only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/canceller.h"
#include "client/question.h"
#include "client/result.h"

namespace llm_router::client {

class JobsLink;

enum class JobState { kQueued, kRunning, kCompleted, kFailed, kCancelled };
// "queued" for kQueued, and so on. Lives as long as the process.
std::string_view NameOf(JobState state);
bool IsFinal(JobState state);

struct JobOptions {
  // What has not been answered then has failed, with kTimeout. Empty: it waits as long as it takes. (A
  // question's own timeout means nothing for a job.)
  std::optional<std::chrono::system_clock::time_point> deadline;
  std::string
      reply_to;  // a queue that is sent the result too; it may come twice, with the job's id as its own
  // Yours: submitted twice with the same one, it is one job. Empty: a random one.
  std::string idempotency_key;
};

// Why one run of it failed.
struct JobFailure {
  std::int64_t at = 0;  // Unix seconds
  Error why;
};

// Times are Unix seconds, 0: not yet.
struct JobStatus {
  std::string id;
  std::string route;
  JobState state = JobState::kQueued;
  std::string message_id;  // its sender's, where a KubeMQ client put it into the queue
  std::string batch;       // it is a line of; empty: none
  std::int64_t line = 0;   // of the batch, from 1
  std::int64_t created_at = 0;
  std::int64_t started_at = 0;  // its last run
  std::int64_t finished_at = 0;
  std::int64_t runs = 0;                 // a provider that was busy uses up none
  std::optional<std::int64_t> position;  // while queued: how many of its route go before it
  std::vector<JobFailure> failures;      // of its runs, oldest first
};

struct JobWait {
  std::optional<std::chrono::milliseconds> timeout;  // empty: until it is over
  Canceller canceller;                               // ends the wait; the job goes on
};

// Which jobs Client::Jobs lists.
struct JobFilter {
  std::optional<JobState> state;
  std::string route;      // empty: any
  std::size_t most = 20;  // of the newest
};

class Job {
 public:
  // Made by Client::Submit and Client::FindJob.
  Job(std::string id, std::string dialect, std::shared_ptr<JobsLink> link);

  const std::string& id() const { return id_; }

  Result<JobStatus> Status() const;
  // Waits for its answer. What made the job fail is the error; so is kTimeout where the wait is over first.
  Result<Answer> Wait(const JobWait& wait = {}) const;
  // It never has an answer, and a provider call under way is aborted. Over already: it stays as it is.
  Result<JobStatus> Cancel() const;
  // Queues it again, where it failed.
  Result<JobStatus> Retry() const;

 private:
  std::string id_;
  std::string dialect_;  // of its question; empty: text, or not known
  std::shared_ptr<JobsLink> link_;
};

}  // namespace llm_router::client
