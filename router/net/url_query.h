// The query of a URL, "a=b&c=d%20e": its values. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace llm_router {

using UrlQuery = std::map<std::string, std::string, std::less<>>;

// Percent escapes and '+' are read. Fault invalid_request: a name twice, or an escape that is none.
absl::StatusOr<UrlQuery> ParseUrlQuery(std::string_view text);

}  // namespace llm_router
