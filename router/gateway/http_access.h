// The caller's key on HTTP. Pure; any thread.
#pragma once

#include <string_view>

#include "router/net/http_headers.h"

namespace llm_router {

// The key of a request, for Access::Authenticate: of `Authorization`, else of `x-api-key` (Anthropic's SDKs);
// empty: none came.
inline std::string_view PresentedKey(const HttpHeaders& headers) {
  return HeaderOr(headers, "authorization", HeaderOr(headers, "x-api-key"));
}

}  // namespace llm_router
