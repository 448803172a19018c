// Who calls, on HTTP: the key, and whether it is a web page. Pure; any thread.
#pragma once

#include <string_view>

#include "router/net/http_headers.h"

namespace llm_router {

// The key of a request, for Access::Authenticate: of `Authorization`, else of `x-api-key` (Anthropic's SDKs);
// empty: none came.
inline std::string_view PresentedKey(const HttpHeaders& headers) {
  return HeaderOr(headers, "authorization", HeaderOr(headers, "x-api-key"));
}

// Whether it was sent by a page that another site gave to the user's browser.
inline bool IsForeignPage(const HttpHeaders& headers) {
  const auto origin = HeaderOr(headers, "origin");
  const auto scheme = origin.find("://");
  if (origin.empty()) return false;
  return scheme == std::string_view::npos || origin.substr(scheme + 3) != HeaderOr(headers, "host");
}

}  // namespace llm_router
