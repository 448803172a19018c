// Simulator: a real HTTP server that answers like OpenAI and Anthropic, without a model: for the quickstart,
// the tests and the benchmarks. Owned by whoever starts it; loop thread; ended with `co_await Stop()`.
//
// It plays POST /v1/chat/completions, POST /v1/messages and GET /v1/models (Anthropic's list when the request
// has an anthropic-version); below /TYPE it plays every other provider, at that one's own path: POST
// /groq/openai/v1/chat/completions (provider_rules.h). Answers are computed from the request (answer.h). It
// does not stream yet: "stream": true gets a 400.
//
// How a request shall go is said, first come first served, by its headers, by its model's name, by the
// script:
//   x-simulate-fault: FAULT           sim-fault-FAULT           one of FaultNames(), as "429" or "reset"
//   x-simulate-latency-ms: N          sim-latency-N
//   x-simulate-tokens: N              sim-tokens-N              words in the answer
//   x-simulate-retry-after: SECONDS   sim-retry_after-SECONDS
// A model may carry several: "gpt-4o-sim-latency-200-sim-fault-503". A 401 quotes the key that was sent.
//
// For tests, over HTTP:
//   GET  /simulate/requests[?last=N]   the last requests (request_log.h)
//   GET  /simulate/counters            totals, in flight, peak, aborted by the client
//   POST /simulate/script              appends a JSON list of faults (fault_plan.h)
//   POST /simulate/reset               forgets log, counters and script
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"

namespace llm_router {

struct SimulatorOptions {
  SimulatorOptions() = default;

  std::string host = "127.0.0.1";
  int port = 0;             // 0: any free one
  Milliseconds latency{0};  // before an answer begins
  size_t tokens = 0;        // words that an answer is filled up to
  double token_rate = 0;    // words a second, which adds to the latency; 0: no limit
  bool strict = true;       // refuse what the real provider would: keys, versions, fields, ranges, order
  size_t log_size = 1000;   // requests remembered
};

// The part of `--help` that lists models, headers and control endpoints.
std::string SimulatorHelp();

class Simulator {
 public:
  // Listens and answers from now on. An error names the address and the remedy.
  static absl::StatusOr<std::unique_ptr<Simulator>> Start(Executor executor, SimulatorOptions options);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  int port() const;

  // Breaks off what is under way. Returns when nothing is left.
  Awaitable<void> Stop();

 private:
  class Impl;
  explicit Simulator(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_router
