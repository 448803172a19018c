// The rows of jobs, and the counts that follow them: every change of a job's state goes through here, so that
// a route's and a batch's counts are right in the same transaction. Commit thread only (store_sql.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/job.h"
#include "router/store/job_row.h"
#include "router/store/store_record.h"
#include "router/store/store_sql.h"

namespace llm_router {

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
// Over a row of `failures`.
uint32_t FailureChecksum(std::string_view job, int64_t at, std::string_view code, std::string_view message);
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
