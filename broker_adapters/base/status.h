// Helpers around absl::Status, the one way in which anything of ours fails.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm_router {

// Debian's Abseil has a string_view of its own; this is the message as the standard's. Valid as long as
// `status`.
inline std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// `status` with "context: " before its message; code and payloads stay. An OK status comes back unchanged.
[[nodiscard]] absl::Status Annotate(absl::Status status, std::string_view context);

}  // namespace llm_router

#define LLM_ROUTER_CONCAT_INNER(a, b) a##b
#define LLM_ROUTER_CONCAT(a, b) LLM_ROUTER_CONCAT_INNER(a, b)

// Returns early with the status of `expression` unless it is OK. The CO_ forms are for coroutines.
#define RETURN_IF_ERROR(expression)                                         \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)
#define CO_RETURN_IF_ERROR(expression)                                         \
  do {                                                                         \
    if (absl::Status status_ = (expression); !status_.ok()) co_return status_; \
  } while (false)

// Assigns the value of a StatusOr to `target` (a declaration or an lvalue), or returns early with its status.
#define ASSIGN_OR_RETURN(target, expression) \
  LLM_ROUTER_ASSIGN_OR(return, LLM_ROUTER_CONCAT(result_, __LINE__), target, expression)
#define CO_ASSIGN_OR_RETURN(target, expression) \
  LLM_ROUTER_ASSIGN_OR(co_return, LLM_ROUTER_CONCAT(result_, __LINE__), target, expression)
#define LLM_ROUTER_ASSIGN_OR(leave, result, target, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) leave std::move(result).status();           \
  target = *std::move(result)
