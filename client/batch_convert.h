// Between the client's batches and the contract's. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/client.h"
#include "proto/batch.h"

namespace llm_router::client {

// Fault invalid_request naming the option. `prompts`: they are sent as JSON lines (PromptLine).
absl::StatusOr<contract::BatchOptions> ToContract(const BatchOptions& batch, const Options& options);

// The input's line for one prompt of many in memory, `number` from 1 as its custom_id.
std::string PromptLine(int64_t number, const std::string& prompt, const BatchOptions& batch,
                       const std::string& route);

BatchStatus ToStatus(const contract::Batch& batch);
BadLine ToBadLine(const contract::BatchError& error);
// A row of an output or error file.
BatchResult ToResult(std::string row);

}  // namespace llm_router::client
