// Questions: answers what callers ask on llm_jobs, each for its own tenant.
//
// Owned by the jobs service; loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "proto/jobs_question.h"
#include "router/jobs/jobs_options.h"
#include "router/roster/roster.h"
#include "router/store/store.h"

namespace llm_router {

// What a question sets going.
struct QuestionEffects {
  QuestionEffects() = default;

  std::function<void()> changed;                        // something may be fed or sent now
  std::function<void()> ending;                         // a batch is to end
  std::function<bool(std::string_view route)> is_kept;  // the store has or had jobs of it
};

class Questions {
 public:
  // All outlive it.
  Questions(Broker& broker, Store& store, const Roster& roster, const JobsOptions& options,
            QuestionEffects effects)
      : broker_(broker), store_(store), roster_(roster), options_(options), effects_(std::move(effects)) {}

  // The body of the reply to a question.
  Awaitable<absl::StatusOr<std::string>> Answer(const Message& question);

 private:
  using Body = Awaitable<absl::StatusOr<std::string>>;

  Body Do(std::string tenant, contract::SubmitJob ask);
  Body Do(std::string tenant, contract::AboutJob ask);
  Body Do(std::string tenant, contract::ListJobs ask);
  Body Do(std::string tenant, contract::CreateBatch ask);
  Body Do(std::string tenant, contract::AppendLines ask);
  Body Do(std::string tenant, contract::AboutBatch ask);
  Body Do(std::string tenant, contract::ReadLines ask);
  Body Do(std::string tenant, contract::ReadErrors ask);
  Body Do(std::string tenant, contract::ListBatches ask);
  Body Do(std::string tenant, contract::CreateFile ask);
  Body Do(std::string tenant, contract::AppendFile ask);
  Body Do(std::string tenant, contract::AboutFile ask);
  Body Do(std::string tenant, contract::ReadFile ask);
  Body Do(std::string tenant, contract::ListFiles ask);
  Body CreateFromFile(std::string tenant, contract::CreateBatch ask);
  Body Seal(std::string tenant, std::string batch);
  Body CancelJob(std::string tenant, std::string job);
  // Configured here, or served by somebody.
  std::vector<contract::RouteModels> Routes() const;
  // Those of them that the lines of such a batch may ask.
  std::vector<contract::RouteModels> RoutesFor(const contract::BatchOptions& options) const;
  absl::Status CheckRoute(const std::string& route) const;

  Broker& broker_;
  Store& store_;
  const Roster& roster_;
  const JobsOptions& options_;
  const QuestionEffects effects_;
};

}  // namespace llm_router
