// What Client does about jobs. Any thread; blocks its caller's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/jobs_link.h"

namespace llm_router::client {

Result<Job> SubmitJob(std::shared_ptr<JobsLink> link, Question question, const JobOptions& options);
Result<Job> FindJob(std::shared_ptr<JobsLink> link, const std::string& id);
Result<std::vector<JobStatus>> ListJobs(JobsLink& link, const JobFilter& filter);

}  // namespace llm_router::client
