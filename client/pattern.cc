#include "client/pattern.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace llm_router::client {
namespace {

// About ten thousand words: beyond it a provider often reads for longer than a caller likes to be blocked.
constexpr size_t kLongBytes = 64 * 1024;

// Asked together they take hours of one process that must live that long, and hold all their answers.
constexpr size_t kMany = 1'000;

Advice ForLater(size_t count, std::string reason) {
  return {Pattern::kBatch, count > 1 ? "SubmitBatch" : "Submit", std::move(reason)};
}

}  // namespace

std::string_view NameOf(Pattern pattern) {
  constexpr std::array<std::string_view, 3> kNames = {"sync", "async", "batch"};
  return kNames[static_cast<size_t>(pattern)];
}

Advice ChoosePattern(const Work& work) {
  if (work.must_survive) {
    return ForLater(
        work.count,
        "it must survive a restart: the server has it on disk before you go on, and answers it once");
  }
  if (work.urgency == Urgency::kWhenever) {
    return ForLater(work.count,
                    "nobody waits for it: the server keeps it, does it when providers have room, and this "
                    "process need not live until then");
  }
  if (work.count > kMany) {
    return ForLater(
        work.count,
        fmt::format("{} questions take long: a batch shows its progress, can be cancelled, goes on "
                    "after a restart, and leaves the providers room for who waits",
                    work.count));
  }
  if (work.count > 1) {
    return {Pattern::kAsync, "AskMany",
            fmt::format("{} questions wait for one another only if they are asked one by one; together they "
                        "take the time of the slowest few",
                        work.count)};
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
