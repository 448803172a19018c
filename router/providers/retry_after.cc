#include "router/providers/retry_after.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

#include "broker_adapters/base/text.h"

namespace llm_router {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> Bounded(std::optional<double> ms) {
  if (!ms || std::isnan(*ms)) return std::nullopt;
  return milliseconds(std::llround(std::clamp(*ms, 0.0, static_cast<double>(kLongestRetryAfter.count()))));
}

std::optional<double> InMilliseconds(std::string_view text, double unit) {
  const auto number = ParseNumber<double>(text);
  return number ? std::optional<double>(*number * unit) : std::nullopt;
}

// The one date form HTTP senders may write: Sun, 06 Nov 1994 08:49:37 GMT.
std::optional<double> UntilDate(const std::string& text, int64_t now_unix_ms) {
  std::tm date{};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<double>(timegm(&date)) * 1000.0 - static_cast<double>(now_unix_ms);
}

}  // namespace

std::optional<milliseconds> RetryAfter(const HttpHeaders& headers, int64_t now_unix_ms) {
  if (const auto ms = Bounded(InMilliseconds(HeaderOr(headers, "retry-after-ms"), 1))) return ms;
  const std::string_view text = HeaderOr(headers, "retry-after");
  if (const auto seconds = Bounded(InMilliseconds(text, 1000))) return seconds;
  return Bounded(UntilDate(std::string(text), now_unix_ms));
}

}  // namespace llm_router
