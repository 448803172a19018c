// Between the client's jobs and the contract's. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "client/client.h"
#include "proto/job.h"

namespace llm_router::client {

// Fault invalid_request, before anything is sent. Always has an idempotency key: so it may be repeated.
absl::StatusOr<contract::SubmitJob> ToSubmit(Question question, const JobOptions& job,
                                             const Options& options);

JobStatus ToStatus(const contract::Job& job);

// The answer of a job that is over, or why it has none. `dialect`: its question's; empty: not known.
absl::StatusOr<Answer> ToAnswer(std::string_view dialect, contract::Job job);

}  // namespace llm_router::client
