// A page of a list, as the URL's query asks for it: ?limit=20&after=ID. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace llm_router {

struct PageBounds {
  int64_t usual = 20;
  int64_t most = 100;
  std::string_view after = "after";  // what the APIs call it
};
struct PageAsked {
  int64_t limit = 0;
  std::string after;    // the last id of the page before; empty: from the first on
  std::string purpose;  // of files; empty: any
};

// Fault invalid_request.
absl::StatusOr<PageAsked> ReadPage(std::string_view query, const PageBounds& bounds);

// A page as OpenAI's lists have it. `data`: objects with an id.
std::string ListBody(nlohmann::ordered_json data, bool has_more);

// The id in a path, whose `%` escapes are read.
absl::StatusOr<std::string> UnescapedPath(std::string_view text);

}  // namespace llm_router
