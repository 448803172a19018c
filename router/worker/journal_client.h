// JournalClient: a worker's questions to the jobs service, on llm_journal, and what it does when none
// answers.
//
// Once a question found no answer, no more jobs are to be taken: MayBegin says 0, but for a single probe
// after each backoff. A `begin` without an answer may have counted all the same; that run is given up by a
// `finish` with outcome `again` before anything new begins. One per worker, owned by it. Loop thread only;
// `co_await Stop()` before destruction.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker_adapters/base/full_jitter.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "proto/journal.h"

namespace llm_router {

struct JournalOptions {
  JournalOptions() = default;

  Milliseconds patience{5'000};     // for one answer
  Milliseconds first_backoff{100};  // full jitter, doubling
  Milliseconds longest_backoff{5'000};
  Milliseconds patience_at_end{10'000};  // of a worker that drains
};

// Whether `failure` is the answer "no": the same question gets it again.
bool IsRefusal(const absl::Status& failure);

class JournalClient {
 public:
  // `broker` outlives it.
  JournalClient(Executor executor, Broker& broker, JournalOptions options);

  // How many of `wanted` begins may be asked now. Who goes on to ask one says so by Expect first.
  size_t MayBegin(size_t wanted) const;
  void Expect() { ++begins_; }
  // Called whenever MayBegin may say more.
  void OnChange(std::function<void()> on_change) { on_change_ = std::move(on_change); }

  // Asks once. Fails with the journal's refusal (IsRefusal), also for what can't be said to it (no UTF-8, too
  // large), or because nobody answered.
  Awaitable<absl::StatusOr<contract::Begun>> Begin(contract::Begin begin);

  // Asks until answered, over any restart of the jobs service. Fails with the journal's refusal, or when the
  // worker ends and nobody has answered for JournalOptions::patience_at_end.
  Awaitable<absl::StatusOr<contract::FinishVerdict>> Finish(contract::Finish finish);

  // The worker drains: what finds no answer now has its patience at the end.
  void BeginEnd();
  bool is_ending() const { return ends_at_ != TimePoint::max(); }

  Awaitable<void> Stop();

 private:
  template <class Answer>
  Awaitable<absl::StatusOr<Answer>> Ask(std::string question,
                                        absl::StatusOr<Answer> (*read)(std::string_view));
  void Heard();
  void Unheard(const absl::Status& why);
  Awaitable<void> Mend();

  Broker& broker_;
  const JournalOptions options_;
  std::function<void()> on_change_;
  bool answers_ = true;
  bool mending_ = false;
  size_t begins_ = 0;                        // expected or asked
  std::deque<contract::Finish> unanswered_;  // give up the runs that may have begun
  TimePoint ends_at_ = TimePoint::max();
  TimePoint last_heard_;
  FullJitter backoff_;
  LogLimit silence_;
  TaskGroup tasks_;
};

}  // namespace llm_router
