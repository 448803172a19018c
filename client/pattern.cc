#include "client/pattern.h"

#include <fmt/format.h>

namespace llm_router::client {
namespace {

// About ten thousand words: beyond it a provider often reads for longer than a caller likes to be blocked.
constexpr size_t kLongBytes = 64 * 1024;

}  // namespace

std::string_view NameOf(Pattern pattern) { return pattern == Pattern::kSync ? "sync" : "async"; }

Advice ChoosePattern(const Work& work) {
  if (work.count > 1) {
    return {Pattern::kAsync, "AskMany",
            fmt::format("{} questions wait for one another only if they are asked one by one; together they "
                        "take the time of the slowest few",
                        work.count)};
  }
  if (work.urgency == Urgency::kWhenever) {
    return {Pattern::kAsync, "AskAsync",
            "nobody waits for the answer, so no thread needs to; the process must live until it comes"};
  }
  if (work.urgency == Urgency::kSoon) {
    return {Pattern::kAsync, "AskAsync",
            "the thread has other work: it goes on, and takes the answer from the future when it needs it"};
  }
  if (work.bytes > kLongBytes) {
    return {Pattern::kAsync, "AskAsync",
            fmt::format("a question of {} KiB can take a provider minutes: rather wait for the future, with "
                        "something to show meanwhile, and with a longer timeout",
                        work.bytes / 1024)};
  }
  return {Pattern::kSync, "Ask",
          "one short question whose answer somebody waits for: returning before it is there gains nothing"};
}

}  // namespace llm_router::client
