// Between the client's values and the contract's messages. Pure; any thread.
#pragma once

#include <chrono>
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

// The dialect that a reply's body is of, where its question's is not known: told by its members.
std::string_view DialectOfReply(std::string_view body);

// Fault invalid_request unless it is above 0 and at most a day.
absl::Status CheckTimeout(std::chrono::milliseconds timeout);

Error ToError(const absl::Status& failure);

}  // namespace llm_router::client
