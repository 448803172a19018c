#include "router/gateway/http_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_replace.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"
#include "router/dialects/json_body.h"
#include "router/net/url_query.h"

namespace llm_router {

absl::StatusOr<PageAsked> ReadPage(std::string_view query, const PageBounds& bounds) {
  ASSIGN_OR_RETURN(const UrlQuery values, ParseUrlQuery(query));
  PageAsked asked;
  asked.limit = bounds.usual;
  if (const auto after = values.find(bounds.after); after != values.end()) asked.after = after->second;
  if (const auto purpose = values.find("purpose"); purpose != values.end()) asked.purpose = purpose->second;
  if (const auto limit = values.find("limit"); limit != values.end()) {
    const auto number = ParseNumber<int64_t>(limit->second);
    if (!number || *number < 1 || *number > bounds.most)
      return MakeFault(Fault::kInvalidRequest, fmt::format("limit takes 1 to {}", bounds.most));
    asked.limit = *number;
  }
  return asked;
}

std::string ListBody(nlohmann::ordered_json data, bool has_more) {
  Json first, last;
  if (!data.empty()) {
    first = data.front()["id"];
    last = data.back()["id"];
  }
  return DumpJson({{"object", "list"},
                   {"data", std::move(data)},
                   {"first_id", std::move(first)},
                   {"last_id", std::move(last)},
                   {"has_more", has_more}});
}

// As a value of a query, in which only + means something else.
absl::StatusOr<std::string> UnescapedPath(std::string_view text) {
  const std::string value = absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                                                {{"+", "%2B"}, {"&", "%26"}, {"=", "%3D"}});
  ASSIGN_OR_RETURN(UrlQuery values, ParseUrlQuery(fmt::format("id={}", value)));
  return std::move(values["id"]);
}

}  // namespace llm_router
