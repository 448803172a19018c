// StreamCourse: how the frames of a provider become those of a caller: passed on where both speak the same
// dialect, else parsed and written anew. One per stream; pure but for the exchange's warnings.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "router/dialects/reply_stream.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

class StreamCourse {
 public:
  virtual ~StreamCourse() = default;
  // Reads a frame of the provider's and appends what it says to the caller's `frames`.
  virtual absl::Status Take(const SseFrame& frame, std::string& frames) = 0;
  virtual bool has_output() const = 0;  // real output has been appended
  virtual bool complete() const = 0;

  // ---- once complete ----
  virtual std::string TakeWhole() = 0;  // in the caller's dialect; empty: not kept
  virtual std::optional<ChatUsage> usage() const = 0;
  virtual std::string model() const = 0;  // as the provider calls it; may be empty
};

// `exchange` outlives it.
std::unique_ptr<StreamCourse> MakeStreamCourse(Exchange& exchange, const Dialect& theirs);

}  // namespace llm_router
