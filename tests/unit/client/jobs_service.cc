#include "tests/unit/client/jobs_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"

namespace llm_router::client {
namespace {

using contract::Json;

absl::Status NoSuch(std::string_view what, const std::string& id) {
  return MakeFault(Fault::kInvalidRequest, fmt::format("there is no {} {}", what, id));
}

std::string RowOf(const std::string& line) {
  const Json asked = Json::parse(line, nullptr, false);
  const std::string id = contract::StringOr(asked, "custom_id");
  Json row = {{"id", "r-" + id}, {"custom_id", id}, {"response", nullptr}, {"error", nullptr}};
  if (id.starts_with("bad")) {
    row["error"] = {{"code", "provider_busy"}, {"message", "the provider is busy"}};
  } else {
    Json content = asked["body"]["messages"].back()["content"];
    row["response"] = {{"status_code", 200},
                       {"body",
                        {{"model", "m"},
                         {"choices", {{{"message", {{"content", content}}}}}},
                         {"usage", {{"prompt_tokens", 3}, {"completion_tokens", 5}}}}}};
  }
  return row.dump();
}

contract::BatchError ErrorOf(int64_t line) {
  contract::BatchError error;
  error.code = "invalid_json_line";
  error.message = "the line is not a JSON object";
  error.line = line;
  return error;
}

bool IsBad(const std::string& line) { return !line.starts_with('{'); }

}  // namespace

void JobsService::ServeOn(Server& server) {
  server.ServeJobs([this](Query query) { return Handle(std::move(query)); });
}

void JobsService::LoseAnswer(Fault fault) {
  const std::lock_guard lock(mutex_);
  lost_.push_back(fault);
}

std::vector<contract::SubmitJob> JobsService::submitted() const {
  const std::lock_guard lock(mutex_);
  std::vector<contract::SubmitJob> asks;
  for (const JobRow& row : jobs_) asks.push_back(row.ask);
  return asks;
}

std::vector<std::vector<std::string>> JobsService::batches() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::vector<std::string>> all;
  for (const BatchRow& row : batches_) all.push_back(row.lines);
  return all;
}

std::vector<contract::BatchOptions> JobsService::batch_options() const {
  const std::lock_guard lock(mutex_);
  std::vector<contract::BatchOptions> all;
  for (const BatchRow& row : batches_) all.push_back(row.batch.options);
  return all;
}

size_t JobsService::largest_append() const {
  const std::lock_guard lock(mutex_);
  return largest_append_;
}

Awaitable<absl::StatusOr<Reply>> JobsService::Handle(Query query) {
  const std::lock_guard lock(mutex_);
  const auto question = contract::ParseJobsQuestion(query.message.body);
  if (!question.ok()) co_return question.status();
  auto answer = Answer(*question);
  if (!lost_.empty()) {
    const Fault fault = lost_.front();
    lost_.pop_front();
    co_return MakeFault(fault, "the answer was lost");
  }
  if (!answer.ok()) co_return answer.status();
  Reply reply;
  reply.executed = true;
  reply.message.body = *std::move(answer);
  co_return reply;
}

absl::StatusOr<std::string> JobsService::Answer(const contract::JobsQuestion& question) {
  return std::visit(
      [this]<class Ask>(const Ask& ask) -> absl::StatusOr<std::string> {
        if constexpr (requires { Do(ask); }) return Do(ask);
        return MakeFault(Fault::kNotSupported, "the client asks for no files");
      },
      question);
}

absl::StatusOr<std::string> JobsService::Do(const contract::SubmitJob& ask) {
  const std::string key(TagOr(ask.tags, contract::tag::kIdempotencyKey));
  for (const JobRow& row : jobs_) {
    if (TagOr(row.ask.tags, contract::tag::kIdempotencyKey) == key) return ToJson(row.job);
  }
  JobRow& row = jobs_.emplace_back();
  row.ask = ask;
  row.job.id = fmt::format("job-{}", jobs_.size());
  row.job.route = ask.route;
  row.job.created_at = 1'700'000'000;
  row.job.position = 4;
  return ToJson(row.job);
}

void JobsService::Advance(JobRow& row) {
  contract::Job& job = row.job;
  if (contract::IsFinal(job.state) || row.ask.body == "hold" || ++row.asked < 2) return;
  job.position.reset();
  job.finished_at = 1'700'000'009;
  job.runs = 1;
  job.state = contract::JobState::kCompleted;
  if (row.ask.body.starts_with("bad")) {
    job.state = contract::JobState::kFailed;
    job.failures.emplace_back(job.finished_at, MakeFault(Fault::kProviderFailed, "the provider broke"));
    return;
  }
  Query query(Kind::kQuery, Message("", row.ask.body), Now());
  query.message.tags = row.ask.tags;
  const Reply echo = EchoOf(query);
  job.reply.emplace();
  job.reply->executed = true;
  job.reply->body = echo.message.body;
  job.reply->tags = echo.message.tags;
}

absl::StatusOr<std::string> JobsService::Do(const contract::AboutJob& ask) {
  const auto row = std::ranges::find_if(jobs_, [&](const JobRow& each) { return each.job.id == ask.job; });
  if (row == jobs_.end()) return NoSuch("job", ask.job);
  using Op = contract::AboutJob::Op;
  if (ask.op == Op::kStatus) Advance(*row);
  if (ask.op == Op::kCancel && !contract::IsFinal(row->job.state))
    row->job.state = contract::JobState::kCancelled;
  if (ask.op == Op::kRetry) {
    if (row->job.state != contract::JobState::kFailed)
      return MakeFault(Fault::kInvalidRequest, "it has not failed");
    row->job.state = contract::JobState::kQueued;
    row->asked = 0;
  }
  contract::Job shown = row->job;
  if (ask.op != Op::kResult) shown.reply.reset();
  return ToJson(shown);
}

absl::StatusOr<std::string> JobsService::Do(const contract::ListJobs& ask) {
  contract::JobPage page;
  bool begun = ask.after.empty();
  for (auto row = jobs_.rbegin(); row != jobs_.rend(); ++row) {
    const bool fits =
        (!ask.state || row->job.state == *ask.state) && (ask.route.empty() || row->job.route == ask.route);
    page.has_more = begun && fits && page.jobs.size() == static_cast<size_t>(ask.limit);
    if (page.has_more) break;
    if (begun && fits) page.jobs.push_back(row->job);
    begun = begun || row->job.id == ask.after;
  }
  return ToJson(page);
}

absl::StatusOr<JobsService::BatchRow*> JobsService::Find(const std::string& batch) {
  for (BatchRow& row : batches_) {
    if (row.batch.id == batch) return &row;
  }
  return NoSuch("batch", batch);
}

absl::StatusOr<std::string> JobsService::Do(const contract::CreateBatch& ask) {
  BatchRow& row = batches_.emplace_back();
  row.batch.id = fmt::format("batch-{}", batches_.size());
  row.batch.options = ask.options;
  row.batch.created_at = 1'700'000'000;
  return ToJson(row.batch);
}

absl::StatusOr<std::string> JobsService::Do(const contract::AppendLines& ask) {
  ASSIGN_OR_RETURN(BatchRow * row, Find(ask.batch));
  largest_append_ = std::max(largest_append_, ask.data.size());
  if (ask.first_line > static_cast<int64_t>(row->lines.size()) + 1)
    return MakeFault(Fault::kInvalidRequest, fmt::format("line {} comes next", row->lines.size() + 1));
  row->lines.resize(static_cast<size_t>(ask.first_line) - 1);
  for (size_t at = 0; at < ask.data.size();) {
    const size_t end = ask.data.find('\n', at);
    row->lines.push_back(ask.data.substr(at, end - at));
    at = end + 1;
  }
  const bool text = row->batch.options.format == contract::BatchFormat::kText;
  row->batch.bad_lines = text ? 0 : std::ranges::count_if(row->lines, IsBad);
  contract::Appended answer;
  answer.next_line = static_cast<int64_t>(row->lines.size()) + 1;
  answer.bad_lines = row->batch.bad_lines;
  return ToJson(answer);
}

void JobsService::Advance(BatchRow& row) {
  contract::Batch& batch = row.batch;
  if (batch.state != contract::BatchState::kInProgress || batch.options.route == "hold") return;
  const size_t more = std::min(row.lines.size() - row.rows.size(), (row.lines.size() + 1) / 2);
  for (size_t i = 0; i < more; ++i) {
    row.rows.push_back(RowOf(row.lines[row.rows.size()]));
    const bool failed = row.rows.back().find(R"("response":null)") != std::string::npos;
    ++(failed ? batch.counts.failed : batch.counts.completed);
  }
  if (row.rows.size() == row.lines.size()) {
    batch.state = contract::BatchState::kCompleted;
    batch.completed_at = 1'700'000'009;
  }
}

absl::StatusOr<std::string> JobsService::Do(const contract::AboutBatch& ask) {
  ASSIGN_OR_RETURN(BatchRow * row, Find(ask.batch));
  using Op = contract::AboutBatch::Op;
  contract::Batch& batch = row->batch;
  if (ask.op == Op::kStatus) Advance(*row);
  if (ask.op == Op::kCancel && !contract::IsFinal(batch.state))
    batch.state = contract::BatchState::kCancelled;
  if (ask.op == Op::kSeal && batch.state == contract::BatchState::kValidating) {
    batch.state = batch.bad_lines > 0 ? contract::BatchState::kFailed : contract::BatchState::kInProgress;
    batch.counts.total = static_cast<int64_t>(row->lines.size());
    if (std::ranges::all_of(row->lines, &std::string::empty)) {
      batch.state = contract::BatchState::kFailed;
      batch.errors.emplace_back().message = "the batch has no lines";
    }
  }
  return ToJson(batch);
}

absl::StatusOr<std::string> JobsService::Do(const contract::ReadLines& ask) {
  constexpr size_t kPage = 3;
  ASSIGN_OR_RETURN(BatchRow * row, Find(ask.batch));
  contract::LinePage page;
  auto at = static_cast<size_t>(ask.after);
  for (; at < row->rows.size() && page.lines.size() < kPage; ++at) {
    const bool failed = row->rows[at].find(R"("response":null)") != std::string::npos;
    if (ask.which == contract::ReadLines::Which::kCompleted && failed) continue;
    if (ask.which == contract::ReadLines::Which::kFailed && !failed) continue;
    page.lines.push_back(row->rows[at]);
  }
  page.next = static_cast<int64_t>(at);
  page.has_more = at < row->rows.size();
  return ToJson(page);
}

absl::StatusOr<std::string> JobsService::Do(const contract::ReadErrors& ask) {
  constexpr size_t kPage = 2;
  ASSIGN_OR_RETURN(BatchRow * row, Find(ask.batch));
  contract::ErrorPage page;
  for (size_t i = static_cast<size_t>(ask.after); i < row->lines.size(); ++i) {
    if (!IsBad(row->lines[i])) continue;
    page.has_more = page.errors.size() == kPage;
    if (page.has_more) break;
    page.errors.push_back(ErrorOf(static_cast<int64_t>(i) + 1));
  }
  return ToJson(page);
}

absl::StatusOr<std::string> JobsService::Do(const contract::ListBatches& ask) {
  contract::BatchPage page;
  bool begun = ask.after.empty();
  for (auto row = batches_.rbegin(); row != batches_.rend(); ++row) {
    page.has_more = begun && page.batches.size() == static_cast<size_t>(ask.limit);
    if (page.has_more) break;
    if (begun) page.batches.push_back(row->batch);
    begun = begun || row->batch.id == ask.after;
  }
  return ToJson(page);
}

}  // namespace llm_router::client
