// JobRig: a worker of one route on a real embedded broker with queues in a temporary folder, a provider of
// the test's own, and a journal that answers as the test says: a real subscriber of llm_journal.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "broker_adapters/base/loop.h"
#include "proto/fault.h"
#include "proto/journal.h"
#include "router/worker/worker.h"
#include "tests/contract/signal.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/watched_broker.h"

namespace llm_router::test {

// The pipeline: "hold..." waits for `released`, "busy..." finds the provider busy for `busy_for` as long as
// `busy` is set, "fail..." fails, all else is answered with itself.
class FakeProvider final : public Stage {
 public:
  FakeProvider(Executor executor, std::shared_ptr<Signal> changed) : released(executor), changed_(changed) {}
  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override;

  std::vector<std::string> calls;  // their bodies
  int running = 0;
  bool busy = true;
  std::optional<Milliseconds> busy_for;
  bool released_all = false;
  Signal released;

 private:
  std::shared_ptr<Signal> changed_;  // shared with the rig
};

class JobRig {
  const TemporaryFolder folder_;  // before the broker, which keeps its queues there

 public:
  using Answer = std::function<absl::StatusOr<Reply>()>;

  // `queues`: without, the broker keeps none.
  explicit JobRig(Loop& loop, bool queues = true);

  Awaitable<void> Start();  // the worker, and the journal unless `journal_up` is false
  Awaitable<void> Stop();
  Awaitable<void> JournalUp();
  void JournalDown() { journal_.reset(); }

  // Puts a job of ours (tags `job`, `query`, `tenant`) or, with an empty name, what a stranger would.
  Awaitable<void> Put(std::string job, std::string body, Tags tags = {});
  Awaitable<absl::StatusOr<Reply>> Ask(std::string body);
  void Cancel(const std::string& query);
  Awaitable<QueueInfo> Info(std::string queue = "chat_jobs");
  // Waits for a state that tests are about; fails the test when it does not come.
  template <class Condition>
  Awaitable<void> Until(Condition condition) {
    const bool came = co_await changed->Until(std::move(condition));
    if (!came) throw std::runtime_error("what the test waits for did not happen");
  }

  const std::shared_ptr<Signal> changed;  // shared with handlers
  std::unique_ptr<WatchedBroker> broker;
  FakeProvider* provider = nullptr;  // the pipeline's
  std::unique_ptr<Worker> worker;
  WorkerOptions options;
  bool journal_up = true;
  // What the journal was asked, and what it answers next; empty: go, and kept.
  std::vector<contract::Begin> begins;
  std::vector<contract::Finish> finishes;
  std::deque<Answer> begin_answers, finish_answers;

 private:
  Awaitable<absl::StatusOr<Reply>> OnJournal(Query query);

  Executor executor_;
  std::unique_ptr<Pipeline> pipeline_;
  SubscriptionPtr journal_;
};

// Answers of the journal.
JobRig::Answer Say(contract::Begun begun);
JobRig::Answer Say(contract::BeginVerdict verdict);
JobRig::Answer Say(contract::FinishVerdict verdict);
JobRig::Answer Refuse(Fault fault, std::string why);

}  // namespace llm_router::test
