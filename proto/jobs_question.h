// What may be asked on `llm_jobs`: the ops of job.h, batch.h and file.h, read. Pure; any thread.
#pragma once

#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "proto/batch.h"
#include "proto/file.h"
#include "proto/job.h"

namespace llm_router::contract {

using JobsQuestion =
    std::variant<SubmitJob, AboutJob, ListJobs, CreateBatch, AppendLines, AboutBatch, ReadLines, ReadErrors,
                 ListBatches, CreateFile, AppendFile, AboutFile, ReadFile, ListFiles>;

// Fault invalid_request naming the field and what it takes; an unknown op's names those there are.
absl::StatusOr<JobsQuestion> ParseJobsQuestion(std::string_view body);

}  // namespace llm_router::contract
