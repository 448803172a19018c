#include "proto/fault.h"

#include <array>
#include <string>

#include "absl/strings/cord.h"
#include "broker_adapters/base/text.h"

namespace llm_router {
namespace {

constexpr const char* kFaultUrl = "llm-router/fault";
constexpr const char* kRetryAfterUrl = "llm-router/retry-after-ms";

using enum Fault;
using Code = absl::StatusCode;

// clang-format off
constexpr std::array kTable = {
    // fault                name                    status code                 http  openai type              anthropic type           retry  next
    FaultRow{kInternal,            "internal",             Code::kInternal,           500, "server_error",          "api_error",             false, false},
    FaultRow{kInvalidRequest,      "invalid_request",      Code::kInvalidArgument,    400, "invalid_request_error", "invalid_request_error", false, false},
    FaultRow{kUnknownRoute,        "unknown_route",        Code::kNotFound,           404, "invalid_request_error", "not_found_error",       false, false},
    FaultRow{kUnknownModel,        "unknown_model",        Code::kNotFound,           404, "invalid_request_error", "not_found_error",       false, false},
    FaultRow{kTooLarge,            "too_large",            Code::kOutOfRange,         413, "invalid_request_error", "request_too_large",     false, false},
    FaultRow{kTimeout,             "timeout",              Code::kDeadlineExceeded,   504, "timeout_error",         "timeout_error",         false, false},
    FaultRow{kCancelled,           "cancelled",            Code::kCancelled,          499, "cancelled",             "api_error",             false, false},
    FaultRow{kOverloaded,          "overloaded",           Code::kResourceExhausted,  503, "overloaded_error",      "overloaded_error",      true,  false},
    FaultRow{kWorkerLost,          "worker_lost",          Code::kAborted,            502, "server_error",          "api_error",             true,  false},
    FaultRow{kStorageFailed,       "storage_failed",       Code::kDataLoss,           507, "server_error",          "api_error",             true,  false},
    FaultRow{kShuttingDown,        "shutting_down",        Code::kUnavailable,        503, "server_error",          "overloaded_error",      true,  false},
    FaultRow{kEngineUnavailable,   "engine_unavailable",   Code::kUnavailable,        503, "server_error",          "api_error",             true,  false},
    FaultRow{kNotSupported,        "not_supported",        Code::kUnimplemented,      501, "invalid_request_error", "invalid_request_error", false, false},
    FaultRow{kUnauthenticated,     "unauthenticated",      Code::kUnauthenticated,    401, "authentication_error",  "authentication_error",  false, false},
    FaultRow{kPermissionDenied,    "permission_denied",    Code::kPermissionDenied,   403, "permission_error",      "permission_error",      false, false},
    FaultRow{kProviderKeyMissing,  "provider_key_missing", Code::kFailedPrecondition, 503, "server_error",          "api_error",             false, true},
    FaultRow{kProviderRejected,    "provider_rejected",    Code::kInvalidArgument,    400, "invalid_request_error", "invalid_request_error", false, false},
    FaultRow{kProviderAuth,        "provider_auth",        Code::kFailedPrecondition, 502, "server_error",          "api_error",             false, true},
    FaultRow{kProviderBusy,        "provider_busy",        Code::kResourceExhausted,  503, "rate_limit_error",      "overloaded_error",      true,  true},
    FaultRow{kProviderFailed,      "provider_failed",      Code::kUnavailable,        502, "server_error",          "api_error",             true,  true},
    FaultRow{kProviderTimeout,     "provider_timeout",     Code::kDeadlineExceeded,   504, "timeout_error",         "timeout_error",         true,  true},
    FaultRow{kProviderUnreachable, "provider_unreachable", Code::kUnavailable,        502, "server_error",          "api_error",             true,  true},
    FaultRow{kProviderBadReply,    "provider_bad_reply",   Code::kDataLoss,           502, "server_error",          "api_error",             true,  true},
};
// clang-format on

constexpr bool InEnumOrder() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].fault) != i) return false;
  }
  return kTable.size() == static_cast<size_t>(kProviderBadReply) + 1;
}
static_assert(InEnumOrder());

Fault FaultOfCode(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return kInvalidRequest;
    case Code::kDeadlineExceeded:
      return kTimeout;
    case Code::kDataLoss:
      return kStorageFailed;
    case Code::kCancelled:
      return kCancelled;
    case Code::kResourceExhausted:
      return kOverloaded;
    case Code::kUnavailable:
      return kEngineUnavailable;
    case Code::kUnimplemented:
      return kNotSupported;
    case Code::kUnauthenticated:
      return kUnauthenticated;
    case Code::kPermissionDenied:
      return kPermissionDenied;
    default:
      return kInternal;
  }
}

}  // namespace

std::span<const FaultRow> AllFaults() { return kTable; }

const FaultRow& RowOf(Fault fault) { return kTable[static_cast<size_t>(fault)]; }

std::optional<Fault> FaultNamed(std::string_view name) {
  for (const FaultRow& row : kTable) {
    if (row.name == name) return row.fault;
  }
  return std::nullopt;
}

absl::Status MakeFault(Fault fault, std::string_view message,
                       std::optional<std::chrono::milliseconds> retry_after) {
  const FaultRow& row = RowOf(fault);
  absl::Status status(row.code, std::string(message));
  status.SetPayload(kFaultUrl, absl::Cord(absl::string_view(row.name.data(), row.name.size())));
  if (retry_after)
    status.SetPayload(kRetryAfterUrl, absl::Cord(absl::string_view(std::to_string(retry_after->count()))));
  return status;
}

Fault FaultOf(const absl::Status& status) {
  if (const auto payload = status.GetPayload(kFaultUrl)) {
    if (const auto fault = FaultNamed(std::string(*payload))) return *fault;
  }
  return FaultOfCode(status.code());
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfterUrl);
  const auto ms = payload ? ParseNumber<int64_t>(std::string(*payload)) : std::nullopt;
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

}  // namespace llm_router
