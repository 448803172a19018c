#include "router/store/feed_steps.h"

#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/store/job_table.h"
#include "router/store/lane_picker.h"

namespace llm_router {
namespace {

constexpr size_t kMostBytes = size_t{4} * 1024 * 1024;  // of a page
constexpr int64_t kMostRoutes = 10'000;

int64_t ExpiryOf(StoreSql& sql, const JobRow& row) {
  if (row.batch == 0) return row.deadline;
  Rows rows(sql, "SELECT expires FROM batches WHERE seq=?", row.batch);
  return rows.Next() ? rows.Int(0) : 0;
}

FeedJob ToFeed(StoreSql& sql, const JobRow& row, QueryRecord query) {
  FeedJob job;
  job.row = row.seq;
  job.generation = row.generation;
  job.id = row.id;
  job.tenant = row.tenant;
  job.body = std::move(query.body);
  job.tags = std::move(query.tags);
  job.deadline = ExpiryOf(sql, row);
  job.interactive = row.lane == kSingleLane;
  return job;
}

}  // namespace

std::vector<RouteCount> CountRoutes(StoreSql& sql) {
  std::vector<RouteCount> counts;
  for (Rows rows(
           sql,
           "SELECT name, unfed, fed, running, completed, failed, cancelled FROM routes ORDER BY name LIMIT ?",
           kMostRoutes);
       rows.Next();) {
    RouteCount& count = counts.emplace_back();
    count.route = rows.Text(0);
    count.unfed = rows.Int(1);
    count.fed = rows.Int(2);
    count.running = rows.Int(3);
    count.completed = rows.Int(4);
    count.failed = rows.Int(5);
    count.cancelled = rows.Int(6);
  }
  return counts;
}

FeedPage PickToFeed(StoreSql& sql, const std::string& route, const FeedLimits& limits, int64_t now) {
  FeedPage page;
  LanePicker picker(sql, route, limits, now);
  size_t bytes = 0;
  while (static_cast<int64_t>(page.jobs.size()) < limits.room && bytes < kMostBytes) {
    const int64_t seq = picker.Next();
    if (seq == 0) break;
    const auto row = JobBySeq(sql, seq);
    if (!row) continue;
    auto query = ReadQuery(sql, *row);
    if (query) {
      bytes += query->body.size();
      page.jobs.push_back(ToFeed(sql, *row, *std::move(query)));
      continue;
    }
    EndJob(sql, *row, contract::JobState::kFailed,
           ResultRecord(RowOf(Fault::kStorageFailed).name,
                        "the job's query is damaged on disk: submit it again"),
           now);
    page.damaged = true;
  }
  page.last_lane = picker.last_lane();
  page.singles_in_a_row = picker.singles_in_a_row();
  return page;
}

void MarkAsFed(StoreSql& sql, const std::vector<FeedJob>& jobs, int64_t now) {
  for (const FeedJob& job : jobs) {
    auto row = JobBySeq(sql, job.row);
    if (!row || row->is_final() || row->fed || row->generation != job.generation) continue;
    row->fed = true;
    SaveJob(sql, *row, now);
  }
}

void FailRefused(StoreSql& sql, const FeedJob& job, const absl::Status& why, int64_t now) {
  const auto row = JobBySeq(sql, job.row);
  if (!row || row->is_final() || row->fed || row->generation != job.generation) return;
  EndJob(sql, *row, contract::JobState::kFailed, ResultRecord(RowOf(FaultOf(why)).name, MessageOf(why)), now);
}

int64_t FeedAgain(StoreSql& sql, const std::string& route, int64_t most) {
  std::vector<int64_t> jobs;
  for (Rows rows(sql,
                 "SELECT seq FROM jobs INDEXED BY jobs_in_queue WHERE state=0 AND fed=1 AND route=? LIMIT ?",
                 route, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  for (const int64_t seq : jobs) {
    if (const auto row = JobBySeq(sql, seq)) QueueAgain(sql, *row, 0, 0);
  }
  return static_cast<int64_t>(jobs.size());
}

}  // namespace llm_router
