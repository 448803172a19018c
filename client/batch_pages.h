// What of a batch is read page by page. Each gives how many there were. Any thread; blocks its caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "client/batch.h"
#include "client/jobs_link.h"

namespace llm_router::client {

// The rows of the lines finished so far.
absl::StatusOr<int64_t> ReadLinePages(JobsLink& link, const std::string& batch, Lines which,
                                      const std::function<void(std::string row)>& on_row);
// The bad lines of its input.
absl::StatusOr<int64_t> ReadErrorPages(JobsLink& link, const std::string& batch,
                                       const std::function<void(const BadLine&)>& on_bad_line);

}  // namespace llm_router::client
