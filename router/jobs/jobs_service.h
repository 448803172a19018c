// JobsService: keeps jobs and batches: answers llm_jobs and llm_journal, feeds the workers' queues, sends
// results on, and looks after what time does to them.
//
// The only user of its store; one answers on a broker at a time. Owned by the composition root; loop thread
// only. `co_await Stop()` before destruction: it takes no more questions and finishes those it has; what is
// not done is done by the next one, for all of it is in the store.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "broker_adapters/broker.h"
#include "router/jobs/jobs_options.h"
#include "router/store/store.h"

namespace llm_router {

class JobsService {
 public:
  // Answers when it returns. Fault invalid_request when another jobs service is on this broker, or starts
  // there in the same moment and its name comes first (JobsOptions::may_have_rivals). `broker` and `store`
  // outlive it.
  static Awaitable<absl::StatusOr<std::unique_ptr<JobsService>>> Start(Executor executor, Broker& broker,
                                                                       Store& store, JobsOptions options);
  virtual ~JobsService() = default;

  virtual Awaitable<void> Stop() = 0;
};

}  // namespace llm_router
