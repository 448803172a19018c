// Journal: answers what workers ask on llm_journal: may this run begin, and here is how it ended.
//
// Owned by the jobs service; loop thread. What it says is on disk.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/jobs/run_life.h"
#include "router/store/store.h"

namespace llm_router {

class Journal {
 public:
  // `changed`: something may be fed or sent now. All outlive the journal.
  Journal(Store& store, RunLife& life, const JobsOptions& options, std::function<void()> changed)
      : store_(store), life_(life), options_(options), changed_(std::move(changed)) {}

  // The body of the reply to a question.
  Awaitable<absl::StatusOr<std::string>> Answer(const Message& question);

 private:
  Awaitable<absl::StatusOr<std::string>> Begin(contract::Begin ask);
  Awaitable<absl::StatusOr<std::string>> Adopt(contract::Begin ask);
  Awaitable<absl::StatusOr<std::string>> Finish(contract::Finish ask);

  Store& store_;
  RunLife& life_;
  const JobsOptions& options_;
  const std::function<void()> changed_;
};

}  // namespace llm_router
