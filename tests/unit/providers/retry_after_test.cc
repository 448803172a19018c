#include "router/providers/retry_after.h"

#include "tests/support/catch.h"

namespace llm_router {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNow = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT

struct Case {
  HttpHeaders headers;
  std::optional<milliseconds> wait;
};

TEST_CASE("the wait a provider asks for is read from either header, and bounded") {
  const auto row = GENERATE(values<Case>({
      {{}, std::nullopt},
      {{{"retry-after", "2"}}, milliseconds(2000)},
      {{{"retry-after", "0.25"}}, milliseconds(250)},
      {{{"retry-after", "0"}}, milliseconds(0)},
      {{{"retry-after", "-5"}}, milliseconds(0)},
      {{{"retry-after", "1e300"}}, kLongestRetryAfter},
      {{{"retry-after", "inf"}}, kLongestRetryAfter},
      {{{"retry-after", "nan"}}, std::nullopt},
      {{{"retry-after", "soon"}}, std::nullopt},
      {{{"retry-after", ""}}, std::nullopt},
      {{{"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}}, milliseconds(10'000)},
      {{{"retry-after", "Sun, 06 Nov 1994 08:49:27 GMT"}}, milliseconds(0)},
      {{{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}, kLongestRetryAfter},
      {{{"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT and more"}}, std::nullopt},
      {{{"retry-after-ms", "1500"}, {"retry-after", "9"}}, milliseconds(1500)},
      {{{"retry-after-ms", "x"}, {"retry-after", "9"}}, milliseconds(9000)},
  }));
  CHECK(RetryAfter(row.headers, kNow) == row.wait);
}

}  // namespace
}  // namespace llm_router
