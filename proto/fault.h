// Fault: why something failed, one of a fixed set.
//
// Every failure of ours is an absl::Status that carries its Fault (and how long to wait, where that is known)
// as a payload. One table, in fault.cc, says what a Fault is called at each door and whether trying again can
// help. A status made elsewhere (by gRPC, say) is read by its code. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace llm_router {

enum class Fault {
  kInternal,             // our own mistake
  kInvalidRequest,       // the caller's query can't be understood
  kUnknownRoute,         // nobody serves a route of that name
  kUnknownModel,         // the route does not list that model
  kTooLarge,             // a body over a limit
  kTimeout,              // the deadline passed
  kCancelled,            // the caller went away or cancelled
  kOverloaded,           // more waits already than we hold
  kWorkerLost,           // the worker that held the query went away
  kStorageFailed,        // the disk can't keep it: full, read-only, broken
  kShuttingDown,         // the process is on its way out
  kEngineUnavailable,    // the message broker can't be reached
  kNotSupported,         // the engine or this version can't do that
  kUnauthenticated,      // no key, or one that is not known here
  kPermissionDenied,     // the key may not do that
  kProviderKeyMissing,   // the provider's key is not configured
  kProviderRejected,     // the provider calls the query wrong (400, 404, 413, 422): the caller's to mend
  kProviderAuth,         // the provider refuses our key (401, 403)
  kProviderBusy,         // the provider asks to come back later (429, 503, 529)
  kProviderFailed,       // the provider's own error (500 and the rest)
  kProviderTimeout,      // the provider gave up or did not answer in time (408, 504)
  kProviderUnreachable,  // no connection, or it broke
  kProviderBadReply,     // it answered something that is no reply
};

struct FaultRow {
  Fault fault;
  std::string_view name;            // `code` in our error bodies, label in metrics
  absl::StatusCode code;            // of the Status that carries it
  int http;                         // status at HTTP doors
  std::string_view openai_type;     // `error.type` towards OpenAI SDKs and in our own error body
  std::string_view anthropic_type;  // `error.type` towards Anthropic SDKs
  bool retry;                       // the same target may be asked again
  bool next;                        // the next target may be tried
};

std::span<const FaultRow> AllFaults();
const FaultRow& RowOf(Fault fault);
std::optional<Fault> FaultNamed(std::string_view name);

// A failure as a Status: `message` is one sentence that says what to do.
[[nodiscard]] absl::Status MakeFault(Fault fault, std::string_view message,
                                     std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

// The Fault of a failed status, kInternal when its code says nothing better.
Fault FaultOf(const absl::Status& status);
std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status);

}  // namespace llm_router
