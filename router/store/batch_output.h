// A finished line of a batch as a row of an OpenAI output or error file. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "router/store/store_record.h"

namespace llm_router {

// {"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error"}, without a newline. A line
// that the provider refused has its answer as `response`; one that never got an answer has `error` {code,
// message}.
std::string OutputRow(std::string_view job, std::string_view custom_id, const ResultRecord& result);

}  // namespace llm_router
