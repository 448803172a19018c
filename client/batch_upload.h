// UploadBatch: takes a batch's input over to the server, a piece at a time, and starts it. Any thread; blocks
// its caller's.
#pragma once

#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/jobs_link.h"
#include "client/line_source.h"
#include "proto/batch.h"

namespace llm_router::client {

// `options` as SubmitBatch got them, `converted` from them. Whatever keeps the batch from starting is the
// failure; what the server has of it then is cancelled.
absl::StatusOr<contract::Batch> UploadBatch(JobsLink& link, const BatchOptions& options,
                                            const contract::BatchOptions& converted, const LineSource& lines);

}  // namespace llm_router::client
