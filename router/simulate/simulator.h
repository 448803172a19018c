// Simulator: a real HTTP server that answers like OpenAI and Anthropic, without a model: for the quickstart,
// the tests and the benchmarks. Owned by whoever starts it; loop thread; ended with `co_await Stop()`.
//
// It plays POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/messages,
// /v1/messages/count_tokens and GET /v1/models (Anthropic's list when the request has an anthropic-version);
// below /TYPE it plays every other provider, at that one's own paths: POST /groq/openai/v1/chat/completions
// (provider_rules.h). Answers are computed from the request (answer.h); with "stream": true they come as
// that provider's events, a word in each (stream_writer.h), at the token rate if there is one, the same text.
//
// How a request shall go is said, first come first served, by its headers, by its model's name, by the
// script:
//   x-simulate-fault: FAULT           sim-fault-FAULT           one of FaultNames(), as "429" or "reset"
//   x-simulate-latency-ms: N          sim-latency-N
//   x-simulate-tokens: N              sim-tokens-N              words in the answer
//   x-simulate-retry-after: SECONDS   sim-retry_after-SECONDS
//   x-simulate-after: N               sim-after-N               words of a stream before its fault; 1 unless
//   said x-simulate-gate: NAME             sim-gate-NAME             words of a stream wait at that gate
//   (gates.h)
// A model may carry several: "gpt-4o-sim-latency-200-sim-fault-503". A 401 quotes the key that was sent.
//
// For tests, over HTTP:
//   GET  /simulate/requests[?last=N]   the last requests (request_log.h)
//   GET  /simulate/counters            totals, in flight, peak, aborted by the client
//   POST /simulate/script              appends a JSON list of faults (fault_plan.h)
//   POST /simulate/gate                {"name", "frames": n}: of every stream at that gate, n words may go by
//                                      now; the frames around words go along with them
//   GET  /simulate/gate                {"gates": {NAME: {"frames": allowed, "sent": n}}}
//   POST /simulate/reset               forgets log, counters and script; opens and forgets all gates
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
  double token_rate = 0;    // words a second; a whole answer takes that longer; 0: no limit
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
