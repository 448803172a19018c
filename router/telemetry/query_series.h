// QuerySeries: what is counted of the queries that share a route, a target, a tenant and an operation.
//
// Its series appear with their first value. Owned by its TargetSeries (query_metrics.h); loop thread only.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proto/fault.h"
#include "router/dialects/chat.h"
#include "router/telemetry/query_families.h"

namespace llm_router {

using Labels = std::map<std::string, std::string>;

// What a query asks for, by the names of OpenTelemetry; the last two are ours.
enum class Operation { kChat, kTextCompletion, kEmbeddings, kCountTokens, kUnknown };
inline constexpr size_t kOperations = 5;
std::string_view NameOf(Operation operation);

class QuerySeries {
 public:
  // `labels` are those of counters, `coarse` those of histograms: with fewer tenants told apart, for each has
  // 20 series. `families` outlives it.
  QuerySeries(QueryFamilies& families, Labels labels, Labels coarse);

  // A query ended; no fault: it has an answer.
  void Ended(std::optional<Fault> fault, double seconds);
  // Its stream began.
  void FirstToken(double seconds);
  void Used(const ChatUsage& usage);
  // A provider is called, and its call ended.
  void AttemptBegan() { Attempts().Increment(); }
  void AttemptEnded(std::optional<Fault> fault, double seconds);

 private:
  static constexpr size_t kOutcomes = static_cast<size_t>(Fault::kProviderBadReply) + 2;
  enum Kind { kInput, kOutput, kCacheRead, kCacheWrite, kReasoning, kKinds };

  template <class Metric>
  using Row = std::array<Metric*, kOutcomes>;  // by outcome, null until there was one

  prometheus::Gauge& Attempts();
  void Count(Kind kind, int64_t tokens);
  void Observe(Kind kind, int64_t tokens);

  QueryFamilies& families_;
  const Labels labels_;
  const Labels coarse_;
  Row<prometheus::Counter> ended_{};
  Row<prometheus::Histogram> durations_{};
  Row<prometheus::Counter> attempts_{};
  Row<prometheus::Histogram> attempt_durations_{};
  prometheus::Histogram* first_token_ = nullptr;
  prometheus::Gauge* attempts_in_flight_ = nullptr;
  std::array<prometheus::Counter*, kKinds> tokens_{};
  std::array<prometheus::Histogram*, 2> usage_{};  // of input and output
};

}  // namespace llm_router
