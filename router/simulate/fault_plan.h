// FaultPlan: how one request shall go wrong, and where that is asked for: by a header, by the model's name,
// or by the script that a test pushed. Pure but for the script, which its requests use up; loop thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/clock.h"
#include "router/net/http_message.h"

namespace llm_router::simulate {

enum class Misbehaviour {
  kNone,
  kBadUtf8,
  kCutStream,
  kEmpty,
  kErrorIn200,
  kErrorInStream,
  kHangAfterHeaders,
  kHangBeforeHeaders,
  kHangInStream,
  kHtml,
  kHuge,
  kReset,
  kResetMidBody,
  kShortStream,
  kSlow,
  kStatus,
  kTruncatedJson,
  kWrongTypes,
};

// Whether it happens behind some piece of a stream. An answer that is no stream is broken off in half
// instead.
bool IsStreamFault(Misbehaviour misbehaviour);

struct FaultPlan {
  FaultPlan() = default;

  Misbehaviour misbehaviour = Misbehaviour::kNone;
  int status = 0;                 // with kStatus
  std::string name = "none";      // as it was asked for
  std::string retry_after = "1";  // with 429, 503 and 529, in seconds; empty: none
  std::optional<Milliseconds> latency;
  std::optional<size_t> tokens;
  std::optional<size_t> after;  // pieces of a stream before its fault; 1 unless said
  std::string gate;             // where the stream waits; empty: nowhere
};

// "reset", "429", "none"; nothing when there is no such fault.
std::optional<FaultPlan> PlanNamed(std::string_view fault);
// All names, for messages and help: "bad_utf8, empty, ..., or a status from 400 to 599".
std::string FaultNames();

// A list of {"fault", "times"?, "every"?, "path"?, "model"?, "latency_ms"?, "tokens"?, "retry_after"?,
// "after"?}. Each
// request takes the first entry that fits it and is not used up; with `every` only each n-th that fits.
class FaultScript {
 public:
  // Appends the entries of a JSON list. An error names the entry and what is wrong with it.
  absl::Status Append(std::string_view json);
  void Clear() { entries_.clear(); }
  size_t size() const { return entries_.size(); }

  std::optional<FaultPlan> Take(std::string_view path, std::string_view model);

 private:
  struct Entry {
    FaultPlan plan;
    int64_t times = 1;
    int64_t every = 1;
    int64_t fitting = 0;  // requests so far
    std::string path;     // empty: any
    std::string model;    // empty: any
  };

  std::deque<Entry> entries_;
};

// The plan for a request: of its headers, else of its model's name, else of the script, else none. All
// but the fault itself are each taken from the first of these that names them. An unknown fault is an error.
absl::StatusOr<FaultPlan> PlanFor(const HttpRequest& request, std::string_view model, FaultScript& script);

}  // namespace llm_router::simulate
