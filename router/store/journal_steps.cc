#include "router/store/journal_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/store/batch_table.h"
#include "router/store/job_table.h"

namespace llm_router {
namespace {

using contract::BeginVerdict;
using contract::FinishVerdict;
using contract::JobState;
using contract::Outcome;

constexpr int64_t kFirstBackoff = 1'000;  // ms
constexpr int64_t kMostBackoff = 60'000;
constexpr std::chrono::milliseconds kAskAgain{1'000};

BeginAnswer Answer(BeginVerdict verdict) {
  BeginAnswer answer;
  answer.begun = contract::Begun(verdict);
  return answer;
}

BeginAnswer Busy(std::chrono::milliseconds wait) {
  BeginAnswer answer = Answer(BeginVerdict::kBusy);
  answer.begun.wait = wait;
  return answer;
}

std::string_view CodeOf(Fault fault) { return RowOf(fault).name; }

constexpr std::string_view kLost = "the worker that ran it went away";

// What the loss of a run ends in: kGo when another may begin.
BeginVerdict LoseRun(StoreSql& sql, const JobRow& row, const JobPolicy& policy, int64_t now) {
  AddFailure(sql, row, CodeOf(Fault::kWorkerLost), kLost, now);
  if (policy.at_most_once) return BeginVerdict::kInterrupted;
  return row.runs >= policy.runs ? BeginVerdict::kExhausted : BeginVerdict::kGo;
}

void FailLost(StoreSql& sql, const JobRow& row, BeginVerdict verdict, int64_t now) {
  const std::string why =
      verdict == BeginVerdict::kInterrupted
          ? fmt::format("{}, and its route is at_most_once: it may or may not have reached the provider",
                        kLost)
          : fmt::format("{}, {} times: raise routes.{}.runs, or see why workers die", kLost, row.runs,
                        row.route);
  EndJob(sql, row, JobState::kFailed, ResultRecord(CodeOf(Fault::kWorkerLost), why), now);
}

void FailOverdue(StoreSql& sql, const JobRow& row, int64_t now) {
  EndJob(sql, row, JobState::kFailed,
         ResultRecord(CodeOf(Fault::kTimeout), "the job's deadline passed before it was done"), now);
}

BeginAnswer Start(StoreSql& sql, JobRow row, const contract::Begin& ask, int64_t now) {
  row.state = JobState::kRunning;
  row.fed = true;
  row.run = ask.run;
  row.worker = ask.worker;
  row.started = now;
  ++row.runs;
  row.verdict = 0;
  SaveJob(sql, row, now);
  return Answer(BeginVerdict::kGo);
}

BeginAnswer StartInstead(StoreSql& sql, JobRow row, const BeginRun& begin, int64_t now) {
  const BeginVerdict verdict = LoseRun(sql, row, begin.policy, now);
  if (verdict == BeginVerdict::kGo) return Start(sql, std::move(row), begin.ask, now);
  row.run = begin.ask.run;
  row.verdict = static_cast<int64_t>(verdict);
  FailLost(sql, row, verdict, now);
  return Answer(verdict);
}

BeginAnswer BeginQueued(StoreSql& sql, const JobRow& row, const BeginRun& begin, int64_t now) {
  if (begin.ask.run == row.ended_run) return Busy(kAskAgain);  // a question that was late
  if (row.deadline > 0 && row.deadline <= now) {
    FailOverdue(sql, row, now);
    return Answer(BeginVerdict::kDone);
  }
  if (row.due > now) return Busy(std::chrono::milliseconds(row.due - now));
  return Start(sql, row, begin.ask, now);
}

int64_t DueAfter(const JobRow& row, const FinishRun& finish, int64_t now) {
  const auto doublings = static_cast<int>(std::clamp<int64_t>(row.runs - 1, 0, 6));
  const auto most = static_cast<double>(std::min(kFirstBackoff << doublings, kMostBackoff));
  const int64_t asked = RetryAfterOf(finish.ask.failure).value_or(std::chrono::milliseconds(0)).count();
  return now + std::max(static_cast<int64_t>(most * std::clamp(finish.jitter, 0.0, 1.0)),
                        std::clamp<int64_t>(asked, 0, 24 * 60 * 60 * 1'000));
}

void FinishFailed(StoreSql& sql, const JobRow& row, const FinishRun& finish, int64_t now) {
  const absl::Status& failure = finish.ask.failure;
  const FaultRow& fault = RowOf(FaultOf(failure));
  AddFailure(sql, row, fault.name, MessageOf(failure), now);
  const int64_t due = DueAfter(row, finish, now);
  const bool in_time = row.deadline == 0 || due < row.deadline;
  if (fault.retry && in_time && row.runs < finish.policies.Of(row.route).runs)
    return QueueAgain(sql, row, due, now);
  ResultRecord result(fault.name, MessageOf(failure));
  result.reply = finish.ask.reply;
  EndJob(sql, row, JobState::kFailed, result, now);
}

// The message goes back to the queue: it is counted as fed.
void FinishBusy(StoreSql& sql, JobRow row, int64_t now) {
  row.state = JobState::kQueued;
  row.runs = std::max<int64_t>(row.runs - 1, 0);
  SaveJob(sql, row, now);
}

}  // namespace

BeginAnswer BeginARun(StoreSql& sql, const BeginRun& begin, int64_t now) {
  const auto row = JobById(sql, begin.ask.job);
  if (!row) return Answer(BeginVerdict::kUnknown);
  if (row->state == JobState::kCancelled) return Answer(BeginVerdict::kCancelled);
  if (row->is_final()) {
    const bool again = row->run == begin.ask.run && row->verdict != 0;
    return Answer(again ? static_cast<BeginVerdict>(row->verdict) : BeginVerdict::kDone);
  }
  if (row->batch > 0 && !GateOf(sql, row->batch).is_open) return Answer(BeginVerdict::kCancelled);
  if (row->state == JobState::kQueued) return BeginQueued(sql, *row, begin, now);
  if (row->run == begin.ask.run) return Answer(BeginVerdict::kGo);
  if (row->run == begin.dead_run) return StartInstead(sql, *row, begin, now);
  BeginAnswer busy = Busy(kAskAgain);
  busy.run = row->run;
  busy.worker = row->worker;
  return busy;
}

// A run that was given up for dead and was not may still end its job, as long as no other began.
FinishVerdict FinishARun(StoreSql& sql, const FinishRun& finish, int64_t now) {
  auto row = JobById(sql, finish.ask.job);
  if (!row) return FinishVerdict::kStale;
  if (row->ended_run == finish.ask.run) return FinishVerdict::kKept;
  if (row->is_final()) return FinishVerdict::kStale;
  if (row->run != finish.ask.run) {
    // Given up without an answer to its begin: that may be late, and is not to start it then.
    if (row->state == JobState::kQueued && finish.ask.outcome == Outcome::kAgain) {
      row->ended_run = finish.ask.run;
      SaveJob(sql, *row, now);
    }
    return FinishVerdict::kStale;
  }
  row->ended_run = finish.ask.run;
  if (finish.ask.outcome == Outcome::kFailed) {
    FinishFailed(sql, *row, finish, now);
  } else if (finish.ask.outcome == Outcome::kAgain) {
    FinishBusy(sql, *row, now);
  } else {
    ResultRecord result;
    result.reply = finish.ask.reply;
    EndJob(sql, *row, JobState::kCompleted, result, now);
  }
  return FinishVerdict::kKept;
}

std::vector<std::string> WorkersWithRuns(StoreSql& sql) {
  std::vector<std::string> workers;
  std::string last;
  while (true) {
    Rows rows(
        sql,
        "SELECT worker FROM jobs INDEXED BY jobs_running WHERE state=1 AND worker>? ORDER BY worker LIMIT 1",
        last);
    if (!rows.Next()) return workers;
    last = rows.Text(0);
    workers.push_back(last);
  }
}

int64_t RequeueRuns(StoreSql& sql, const std::string& worker, const JobPolicies& policies, int64_t most,
                    int64_t now) {
  std::vector<int64_t> jobs;
  for (Rows rows(sql, "SELECT seq FROM jobs INDEXED BY jobs_running WHERE state=1 AND worker=? LIMIT ?",
                 worker, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  for (const int64_t seq : jobs) {
    const auto row = JobBySeq(sql, seq);
    if (!row) continue;
    const BeginVerdict verdict = LoseRun(sql, *row, policies.Of(row->route), now);
    if (verdict == BeginVerdict::kGo) {
      QueueAgain(sql, *row, 0, now);
    } else {
      FailLost(sql, *row, verdict, now);
    }
  }
  return static_cast<int64_t>(jobs.size());
}

int64_t FailOverdueJobs(StoreSql& sql, int64_t most, int64_t now) {
  std::vector<int64_t> jobs;
  for (Rows rows(sql,
                 "SELECT seq FROM jobs INDEXED BY jobs_with_deadline WHERE deadline>0 AND state=0 AND "
                 "deadline<=? LIMIT ?",
                 now, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  for (const int64_t seq : jobs) {
    if (const auto row = JobBySeq(sql, seq)) FailOverdue(sql, *row, now);
  }
  return static_cast<int64_t>(jobs.size());
}

}  // namespace llm_router
