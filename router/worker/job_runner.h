// JobRunner: takes one job of a route from its message to its settlement, the worker's dance of the contract:
// begin, run, finish, settle; each step repeatable.
//
// One per route, owned by its JobTaker; outlives the jobs it runs. Loop thread only.
#pragma once

#include <string>

#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/broker.h"
#include "router/worker/journal_client.h"
#include "router/worker/provider_gate.h"
#include "router/worker/runs.h"
#include "router/worker/slots.h"

namespace llm_router {

struct JobRunnerOptions {
  JobRunnerOptions() = default;

  std::string worker;                 // as in its heartbeats
  Milliseconds first_backoff{1'000};  // of a busy provider that names no time; full jitter, doubling
  Milliseconds longest_backoff{60'000};
};

class JobRunner {
 public:
  // All outlive it.
  JobRunner(Broker& broker, JournalClient& journal, Runs& runs, const Route& route, Slots& slots,
            JobRunnerOptions options);

  // Whether the route's providers may be called; `Start()` it for each job.
  ProviderGate& gate() { return gate_; }

  // Returns once the message is settled. JournalClient::Expect was called for its begin.
  Awaitable<void> Run(Delivery delivery, Slots::Slot slot, ProviderGate::Pass pass);

 private:
  Awaitable<void> RunBegun(Delivery delivery, contract::Begin begin, Slots::Slot slot,
                           ProviderGate::Pass pass);
  Awaitable<void> Bury(Delivery delivery, std::string reason);
  Awaitable<void> Settle(Receipt receipt, Settlement settlement);
  Milliseconds TellGate(const ProviderGate::Pass& pass, const Ran& ran);
  contract::Begin BeginOf(const Message& message, int64_t sent_at) const;

  Broker& broker_;
  JournalClient& journal_;
  Runs& runs_;
  const Route& route_;
  Slots& slots_;
  const JobRunnerOptions options_;
  ProviderGate gate_;
  LogLimit busy_;
  LogLimit unsettled_;
};

}  // namespace llm_router
