// Between the client's values and the contract's messages. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "client/client.h"

namespace llm_router::client {

// Faults invalid_request and too_large, before anything is sent.
absl::StatusOr<Query> ToQuery(Question question, const Options& options);

// The answer in `reply` to a question of `dialect` (empty: text), or the failure it tells of.
absl::StatusOr<Answer> ToAnswer(std::string_view dialect, Reply reply);

Error ToError(const absl::Status& failure);

}  // namespace llm_router::client
