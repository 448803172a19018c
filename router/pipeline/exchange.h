// Exchange: one query in flight through the pipeline, with what the stages learned of it. Made by the worker,
// one per query; loop thread only.
#pragma once

#include <optional>
#include <string>

#include "broker_adapters/broker.h"
#include "proto/contract.h"
#include "router/config/prompt_template.h"
#include "router/dialects/chat.h"
#include "router/dialects/dialect.h"
#include "router/providers/provider.h"
#include "router/telemetry/span.h"

namespace llm_router {

class RouteSeries;
class TargetSeries;

// What a route may call: one entry of its `targets`, resolved.
struct Target {
  Target() = default;
  Target(const Provider* target_provider, std::string target_model)
      : provider(target_provider), model(std::move(target_model)) {}

  const Provider* provider = nullptr;
  std::string model;
  TargetSeries* series = nullptr;  // what it counts in (telemetry/query_metrics.h); null: nothing
};

// One step of a route that is a chain.
struct ChainStep {
  ChainStep() = default;

  std::string route;
  PromptTemplate prompt;
};

// A route as its worker serves it.
struct Route {
  Route() = default;

  std::string name;
  std::vector<Target> targets;    // tried in order
  std::vector<ChainStep> chain;   // in place of targets
  size_t concurrency = 256;       // queries and jobs running at once
  size_t reserve = 0;             // of them, those that jobs leave free
  bool at_most_once = false;      // a job of it that was asked is not asked again
  RouteSeries* series = nullptr;  // as a target's
  Tracer* tracer = nullptr;       // null: nothing is traced
};

// Where the pieces of a streamed reply go. Outlives the exchange.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Whole frames of the caller's dialect. Waits while its readers are too far behind. Fault cancelled: nobody
  // wants more.
  virtual Awaitable<absl::Status> Write(std::string frames) = 0;
  // Calls of Write so far.
  virtual int64_t chunks() const = 0;
};

struct Exchange {
  Exchange(const Route& served_route, Query received, ReplySink* stream = nullptr)
      : route(served_route), query(std::move(received)), sink(stream) {}

  const Route& route;
  Query query;
  ReplySink* const sink;  // null: the caller wants no stream
  const TimePoint started = Now();

  // set by account: what the attempts and the steps of a chain are below
  Span span;

  // set by decode
  contract::QueryTags tags;
  const Dialect* dialect = nullptr;  // the caller's
  Chat chat;
  TimePoint deadline;

  // set by targets, for call
  const Target* target = nullptr;

  // set by call
  int attempts = 0;  // provider calls
  Warnings warnings;
  std::optional<ChatUsage> usage;
  // When the first piece went to the sink: from then on no other target may answer.
  std::optional<TimePoint> first_output;
  void BeginOutput() {
    if (!first_output) first_output = Now();
  }
  bool output_begun() const { return first_output.has_value(); }

  // set by account, which makes a reply of it: why the query has no answer
  absl::Status failure;
};

}  // namespace llm_router
