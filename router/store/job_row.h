// JobRow: a row of the table of jobs. A value; what reads and writes it: commit thread only (store_sql.h).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "proto/job.h"
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

// The columns as ReadJobRow reads them.
#define LLM_ROUTER_JOB_COLUMNS                                                                          \
  "seq, id, tenant, route, state, fed, lane, due, generation, batch, line, custom_id, "                 \
  "has_message, message_id, sent_at, idempotency_key, deadline, reply_to, created, started, finished, " \
  "runs, run, worker, ended_run, verdict, checksum"

struct KeptJobRow {
  JobRow row;
  bool is_whole = false;  // as it was written
};
KeptJobRow ReadJobRow(SQLite::Statement& at);

// Over all of it but its number.
int64_t ChecksumOf(const JobRow& row);

// With its number; 0: gives it one.
void WriteNew(StoreSql& sql, JobRow& row);

contract::JobState JobStateOf(int64_t number);

}  // namespace llm_router
