// Batch input: the lines of a batch, read and checked one at a time.
//
// Of the format openai a line is {"custom_id", "method": "POST", "url", "body"}, as in OpenAI's Batch API; of
// the format text it is a prompt. What only many lines together show (a custom_id that comes twice) is the
// store's to find. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker_adapters/base/tags.h"
#include "proto/batch.h"
#include "proto/contract.h"

namespace llm_router {

// A line as the query that it asks for.
struct BatchLine {
  BatchLine() = default;

  std::string custom_id;
  std::string route;
  std::string body;
  Tags tags;
};

// Each line without its end (\n or \r\n), empty ones too: they count.
std::vector<std::string_view> LinesOf(std::string_view data);

// Lines of nothing but blanks are passed over.
bool IsBlank(std::string_view line);

// `number` of the line, from 1; `routes`: those that may be asked.
std::variant<BatchLine, contract::BatchError> ReadBatchLine(std::string_view line, int64_t number,
                                                            const contract::BatchOptions& options,
                                                            std::span<const contract::RouteModels> routes);

}  // namespace llm_router
