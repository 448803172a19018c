// The rows of jobs, and the counts that follow them: every change of a job's state goes through here, so that
// a route's and a batch's counts are right in the same transaction. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/job.h"
#include "router/store/store_record.h"
#include "router/store/store_sql.h"

namespace llm_router {

constexpr int64_t kSingleLane = 0;
constexpr int64_t kPatientLane = 1;  // single jobs of priority batch
inline int64_t LaneOfBatch(int64_t batch) { return batch + 1; }
inline int64_t BatchOfLane(int64_t lane) { return lane - 1; }

struct JobRow {
  JobRow() = default;

  bool is_final() const { return contract::IsFinal(state); }

  int64_t seq = 0;
  std::string id, tenant, route;
  contract::JobState state = contract::JobState::kQueued;
  bool fed = false;
  int64_t lane = kSingleLane;
  int64_t due = 0;         // 0 = at once
  int64_t generation = 0;  // how often it was queued again
  int64_t batch = 0;       // its row; 0: none
  int64_t line = 0;
  std::string custom_id;
  bool has_message = false;
  std::string message_id;
  int64_t sent_at = 0;
  std::string idempotency_key;
  int64_t deadline = 0;
  std::string reply_to;
  int64_t created = 0, started = 0, finished = 0;
  int64_t runs = 0;
  std::string run;        // the last one that began
  std::string worker;     // whose it is or was
  std::string ended_run;  // the last one whose outcome was kept
  int64_t verdict = 0;    // what `run` was told at its begin, where that ended the job
};

std::optional<JobRow> JobById(StoreSql& sql, std::string_view id);
std::optional<JobRow> JobBySeq(StoreSql& sql, int64_t seq);
// By its id or the message id that it was sent with (the newest of them).
std::optional<JobRow> JobOfTenant(StoreSql& sql, std::string_view tenant, std::string_view which);

// Gives the row its number.
void InsertJob(StoreSql& sql, JobRow& row, const QueryRecord& query);
// Writes what of it can change, and moves the counts.
void SaveJob(StoreSql& sql, const JobRow& row, int64_t now);
// Ends it with its only result.
void EndJob(StoreSql& sql, JobRow row, contract::JobState state, const ResultRecord& result, int64_t now);
// It rests here again, not before `due`.
void QueueAgain(StoreSql& sql, JobRow row, int64_t due, int64_t now);
void AddFailure(StoreSql& sql, const JobRow& row, std::string_view code, std::string_view message,
                int64_t now);
void EraseJob(StoreSql& sql, const JobRow& row);

// Nothing when it is damaged: that is in the log then.
std::optional<QueryRecord> ReadQuery(StoreSql& sql, const JobRow& row);
// One that says so when it is damaged.
ResultRecord ReadResult(StoreSql& sql, const JobRow& row);

// As its caller sees it.
contract::Job ToJob(StoreSql& sql, const JobRow& row);

}  // namespace llm_router
