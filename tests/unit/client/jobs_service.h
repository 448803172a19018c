// JobsService: a small jobs service in memory, for the client's tests, with faults on demand. It answers
// every question of llm_jobs; a job or line is done once its progress was asked for twice. Its state outlives
// the servers it serves on. Handler on a server's loop, the rest from the test's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/broker.h"
#include "proto/fault.h"
#include "proto/jobs_question.h"
#include "tests/unit/client/server.h"

namespace llm_router::client {

class JobsService {
 public:
  // What "hold" asks for stays queued, what begins with "bad" fails; all else is answered like EchoOf.
  void ServeOn(Server& server);

  // The next question is done, and then answered with `fault`: as if the answer had been lost.
  void LoseAnswer(Fault fault);

  std::vector<contract::SubmitJob> submitted() const;
  // Of each batch, the lines in their order.
  std::vector<std::vector<std::string>> batches() const;
  // Bytes of the largest append.
  size_t largest_append() const;
  std::vector<contract::BatchOptions> batch_options() const;

 private:
  struct JobRow {
    contract::SubmitJob ask;
    contract::Job job;
    int asked = 0;
  };
  struct BatchRow {
    contract::Batch batch;
    std::vector<std::string> lines;
    std::vector<std::string> rows;  // finished
  };

  Awaitable<absl::StatusOr<Reply>> Handle(Query query);
  absl::StatusOr<std::string> Answer(const contract::JobsQuestion& question);
  absl::StatusOr<std::string> Do(const contract::SubmitJob& ask);
  absl::StatusOr<std::string> Do(const contract::AboutJob& ask);
  absl::StatusOr<std::string> Do(const contract::ListJobs& ask);
  absl::StatusOr<std::string> Do(const contract::CreateBatch& ask);
  absl::StatusOr<std::string> Do(const contract::AppendLines& ask);
  absl::StatusOr<std::string> Do(const contract::AboutBatch& ask);
  absl::StatusOr<std::string> Do(const contract::ReadLines& ask);
  absl::StatusOr<std::string> Do(const contract::ReadErrors& ask);
  absl::StatusOr<std::string> Do(const contract::ListBatches& ask);
  void Advance(JobRow& row);
  void Advance(BatchRow& row);
  absl::StatusOr<BatchRow*> Find(const std::string& batch);

  mutable std::mutex mutex_;  // guards all below
  std::vector<JobRow> jobs_;
  std::vector<BatchRow> batches_;
  std::deque<Fault> lost_;
  size_t largest_append_ = 0;
};

}  // namespace llm_router::client
