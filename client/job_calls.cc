#include "client/job_calls.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "client/convert.h"
#include "client/job_convert.h"
#include "proto/job.h"

namespace llm_router::client {
namespace {

absl::StatusOr<std::string> IdIn(const absl::StatusOr<std::string>& body) {
  RETURN_IF_ERROR(body.status());
  ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(*body, "a job"));
  ASSIGN_OR_RETURN(contract::Job job, contract::ParseJob(json));
  return std::move(job.id);
}

// The id of the job that `ask` is about, as a handle.
Result<Job> AskForJob(std::shared_ptr<JobsLink> link, std::string ask, std::string dialect) {
  auto id = IdIn(link->Ask(std::move(ask), Repeat::kYes));
  if (!id.ok()) return ToError(id.status());
  return Job(*std::move(id), std::move(dialect), std::move(link));
}

absl::StatusOr<std::vector<JobStatus>> ReadPages(JobsLink& link, const JobFilter& filter) {
  contract::ListJobs ask;
  ask.route = filter.route;
  if (filter.state) ask.state = static_cast<contract::JobState>(*filter.state);
  std::vector<JobStatus> jobs;
  for (bool has_more = true; has_more && jobs.size() < filter.most;) {
    ask.limit = std::min<int64_t>(contract::kMostListed, static_cast<int64_t>(filter.most - jobs.size()));
    ASSIGN_OR_RETURN(const std::string body, link.Ask(ToJson(ask), Repeat::kYes));
    ASSIGN_OR_RETURN(const contract::JobPage page, contract::ParseJobPage(body));
    for (const contract::Job& job : page.jobs) jobs.push_back(ToStatus(job));
    has_more = page.has_more && !page.jobs.empty();
    if (has_more) ask.after = jobs.back().id;
  }
  return jobs;
}

}  // namespace

Result<Job> SubmitJob(std::shared_ptr<JobsLink> link, Question question, const JobOptions& options) {
  std::string dialect = question.dialect;
  const auto ask = ToSubmit(std::move(question), options, link->options());
  if (!ask.ok()) return ToError(ask.status());
  return AskForJob(std::move(link), ToJson(*ask), std::move(dialect));
}

Result<Job> FindJob(std::shared_ptr<JobsLink> link, const std::string& id) {
  return AskForJob(std::move(link), ToJson(contract::AboutJob(contract::AboutJob::Op::kStatus, id)), {});
}

Result<std::vector<JobStatus>> ListJobs(JobsLink& link, const JobFilter& filter) {
  auto jobs = ReadPages(link, filter);
  if (!jobs.ok()) return ToError(jobs.status());
  return *std::move(jobs);
}

}  // namespace llm_router::client
