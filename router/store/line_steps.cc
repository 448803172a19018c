#include "router/store/line_steps.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "router/store/batch_errors.h"
#include "router/store/batch_output.h"
#include "router/store/batch_table.h"
#include "router/store/job_table.h"

namespace llm_router {
namespace {

using contract::BatchState;

constexpr size_t kPageBytes = size_t{1} * 1024 * 1024;

absl::Status CheckAppend(const BatchRow& row, const AppendedLines& lines) {
  const auto last = lines.first_line + static_cast<int64_t>(lines.lines.size()) - 1;
  if (row.batch.state != BatchState::kValidating)
    return MakeFault(
        Fault::kInvalidRequest,
        fmt::format("the batch is {}: lines are appended before it is sealed; make another batch",
                    NameOf(row.batch.state)));
  if (lines.first_line > row.next_line)
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("first_line is {}, but line {} comes next: send the lines in order",
                                 lines.first_line, row.next_line));
  if (last > contract::kMostBatchLines)
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("a batch has at most {} lines: make another batch for the rest",
                                 contract::kMostBatchLines));
  if (row.bytes + lines.bytes > contract::kMostBatchBytes && last >= row.next_line)
    return MakeFault(Fault::kTooLarge,
                     fmt::format("a batch has at most {} bytes: make another batch for the rest",
                                 contract::kMostBatchBytes));
  return absl::OkStatus();
}

// The line that has this custom_id already; 0: none.
int64_t LineWithId(StoreSql& sql, int64_t batch, const std::string& custom_id) {
  Rows rows(sql,
            "SELECT line FROM jobs INDEXED BY jobs_by_custom_id WHERE batch>0 AND batch=? AND custom_id=?",
            batch, custom_id);
  return rows.Next() ? rows.Int(0) : 0;
}

contract::BatchError Duplicate(const std::string& custom_id, int64_t line, int64_t first) {
  contract::BatchError error;
  error.code = "duplicate_custom_id";
  error.message =
      fmt::format("the custom_id \"{}\" is that of line {} already: give each line one of its own",
                  Excerpt(custom_id), first);
  error.param = "custom_id";
  error.line = line;
  return error;
}

// Adds lines and counts them in `row`.
class Appender {
 public:
  Appender(StoreSql& sql, BatchRow& row, const std::string& tenant, int64_t now)
      : sql_(sql), row_(row), tenant_(tenant), now_(now) {}

  void Add(int64_t, const std::monostate&) {}

  void Add(int64_t, const contract::BatchError& error) {
    AddBatchError(sql_, row_.seq, error);
    ++row_.batch.bad_lines;
  }

  void Add(int64_t number, const LineQuery& line) {
    const int64_t first = LineWithId(sql_, row_.seq, line.custom_id);
    if (first > 0) return Add(number, Duplicate(line.custom_id, number, first));
    JobRow job;
    job.id = line.job;
    job.tenant = tenant_;
    job.route = line.route;
    job.lane = LaneOfBatch(row_.seq);
    job.batch = row_.seq;
    job.line = number;
    job.custom_id = line.custom_id;
    job.created = now_;
    InsertJob(sql_, job, QueryRecord(line.body, line.tags));
    ++row_.batch.counts.total;
  }

 private:
  StoreSql& sql_;
  BatchRow& row_;
  const std::string& tenant_;
  const int64_t now_;
};

Rows ResultRows(StoreSql& sql, int64_t batch, const contract::ReadLines& ask) {
  if (ask.which == contract::ReadLines::Which::kAll)
    return Rows(
        sql,
        "SELECT seq, job FROM results INDEXED BY results_of_batch WHERE batch>0 AND batch=? AND seq>? ORDER "
        "BY seq LIMIT ?",
        batch, ask.after, ask.limit + 1);
  return Rows(
      sql,
      "SELECT seq, job FROM results INDEXED BY results_by_outcome WHERE batch>0 AND batch=? AND failed=? AND "
      "seq>? ORDER BY seq LIMIT ?",
      batch, ask.which == contract::ReadLines::Which::kFailed, ask.after, ask.limit + 1);
}

}  // namespace

absl::StatusOr<contract::Appended> AppendTo(StoreSql& sql, const std::string& tenant,
                                            const AppendedLines& lines, int64_t now) {
  ASSIGN_OR_RETURN(BatchRow row, BatchOfTenant(sql, tenant, lines.batch));
  const auto next = lines.first_line + static_cast<int64_t>(lines.lines.size());
  // Repeated: also after it was sealed.
  if (next > row.next_line) {
    RETURN_IF_ERROR(CheckAppend(row, lines));
    Appender appender(sql, row, tenant, now);
    for (size_t i = static_cast<size_t>(row.next_line - lines.first_line); i < lines.lines.size(); ++i) {
      const int64_t number = lines.first_line + static_cast<int64_t>(i);
      std::visit([&](const auto& line) { appender.Add(number, line); }, lines.lines[i]);
    }
    row.next_line = next;
    row.bytes += lines.bytes;
    sql.Run("UPDATE batches SET next_line=?, bytes=?, total=?, bad_lines=? WHERE seq=?", row.next_line,
            row.bytes, row.batch.counts.total, row.batch.bad_lines, row.seq);
  }
  contract::Appended appended;
  appended.next_line = row.next_line;
  appended.bad_lines = row.batch.bad_lines;
  return appended;
}

absl::StatusOr<contract::LinePage> LinesOver(StoreSql& sql, const std::string& tenant,
                                             const contract::ReadLines& ask) {
  ASSIGN_OR_RETURN(const BatchRow row, BatchOfTenant(sql, tenant, ask.batch));
  contract::LinePage page;
  page.next = ask.after;
  std::vector<std::pair<int64_t, int64_t>> found;
  for (Rows rows = ResultRows(sql, row.seq, ask); rows.Next();) found.emplace_back(rows.Int(0), rows.Int(1));
  size_t bytes = 0;
  for (const auto& [seq, job_seq] : found) {
    page.has_more = bytes >= kPageBytes || static_cast<int64_t>(page.lines.size()) >= ask.limit;
    if (page.has_more) break;
    page.next = seq;
    const auto job = JobBySeq(sql, job_seq);
    if (!job) continue;
    page.lines.push_back(OutputRow(job->id, job->custom_id, ReadResult(sql, *job)));
    bytes += page.lines.back().size();
  }
  return page;
}

absl::StatusOr<contract::ErrorPage> BadLines(StoreSql& sql, const std::string& tenant,
                                             const contract::ReadErrors& ask) {
  ASSIGN_OR_RETURN(const BatchRow row, BatchOfTenant(sql, tenant, ask.batch));
  contract::ErrorPage page;
  page.errors = ErrorsOf(sql, row.seq, ask.after, ask.limit + 1);
  page.has_more = static_cast<int64_t>(page.errors.size()) > ask.limit;
  if (page.has_more) page.errors.pop_back();
  return page;
}

}  // namespace llm_router
