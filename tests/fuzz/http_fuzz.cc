// What a provider's headers can hold, and what of ours ends up in a reply's head: lines of NAME: VALUE.
#include <string>

#include "router/net/http_reply_head.h"
#include "router/providers/retry_after.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

HttpHeaders HeadersIn(std::string_view text) {
  HttpHeaders headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    // \x01 stands for a line break, so that one can be smuggled into a value.
    std::string value(line.substr(colon + 1));
    for (char& c : value) c = c == '\x01' ? '\n' : c;
    headers.emplace_back(LowerCase(line.substr(0, colon)), std::move(value));
  }
  return headers;
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llm_router;
  const HttpHeaders headers = HeadersIn(fuzz::TextOf(data, size));
  const auto wait = RetryAfter(headers, 1'700'000'000'000);
  fuzz::Must(!wait || (wait->count() >= 0 && *wait <= kLongestRetryAfter),
             "a wait is neither negative nor for ever");
  const std::string head = ReplyHead(200, headers, HttpFraming::kLength, 3, HttpConnection::kClose);
  fuzz::Must(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4, "a head ends once");
  fuzz::Must(head.find("\n\n") == head.npos, "no value ends a head");
  return 0;
}
