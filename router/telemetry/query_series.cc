#include "router/telemetry/query_series.h"

#include <utility>

namespace llm_router {
namespace {

constexpr std::array<std::string_view, kOperations> kOperationNames = {
    "chat", "text_completion", "embeddings", "count_tokens", "unknown"};
constexpr std::array<const char*, 5> kTokenKinds = {"input", "output", "cache_read", "cache_write",
                                                    "reasoning"};

size_t IndexOf(std::optional<Fault> fault) { return fault ? static_cast<size_t>(*fault) + 1 : 0; }

// As OpenTelemetry has it: what went well has no error_type.
Labels WithError(Labels labels, std::optional<Fault> fault) {
  if (fault) labels.emplace("error_type", RowOf(*fault).name);
  return labels;
}

Labels WithKind(Labels labels, const char* kind) {
  labels.emplace("gen_ai_token_type", kind);
  return labels;
}

Labels Without(Labels labels, const char* name) {
  labels.erase(name);
  return labels;
}

}  // namespace

std::string_view NameOf(Operation operation) { return kOperationNames[static_cast<size_t>(operation)]; }

QuerySeries::QuerySeries(QueryFamilies& families, Labels labels, Labels coarse)
    : families_(families), labels_(std::move(labels)), coarse_(std::move(coarse)) {}

void QuerySeries::Ended(std::optional<Fault> fault, double seconds) {
  const size_t index = IndexOf(fault);
  if (ended_[index] == nullptr) {
    ended_[index] = &families_.queries.Add(WithError(labels_, fault));
    durations_[index] = &families_.duration.Add(WithError(coarse_, fault), QueryFamilies::DurationBuckets());
  }
  ended_[index]->Increment();
  durations_[index]->Observe(seconds);
}

void QuerySeries::FirstToken(double seconds) {
  if (first_token_ == nullptr)
    first_token_ = &families_.first_token.Add(coarse_, QueryFamilies::FirstTokenBuckets());
  first_token_->Observe(seconds);
}

void QuerySeries::Used(const ChatUsage& usage) {
  Count(kInput, usage.input_tokens);
  Count(kOutput, usage.output_tokens);
  Observe(kInput, usage.input_tokens);
  Observe(kOutput, usage.output_tokens);
  if (usage.cache_read_tokens) Count(kCacheRead, *usage.cache_read_tokens);
  if (usage.cache_write_tokens) Count(kCacheWrite, *usage.cache_write_tokens);
  if (usage.reasoning_tokens) Count(kReasoning, *usage.reasoning_tokens);
}

// A provider's word: a negative number would break the counter.
void QuerySeries::Count(Kind kind, int64_t tokens) {
  if (tokens_[kind] == nullptr) tokens_[kind] = &families_.tokens.Add(WithKind(labels_, kTokenKinds[kind]));
  if (tokens > 0) tokens_[kind]->Increment(static_cast<double>(tokens));
}

void QuerySeries::Observe(Kind kind, int64_t tokens) {
  if (usage_[kind] == nullptr) {
    usage_[kind] =
        &families_.token_usage.Add(WithKind(coarse_, kTokenKinds[kind]), QueryFamilies::TokenBuckets());
  }
  usage_[kind]->Observe(static_cast<double>(tokens));
}

prometheus::Gauge& QuerySeries::Attempts() {
  if (attempts_in_flight_ == nullptr) attempts_in_flight_ = &families_.attempts_in_flight.Add(labels_);
  return *attempts_in_flight_;
}

// How long a provider takes does not depend on the tenant.
void QuerySeries::AttemptEnded(std::optional<Fault> fault, double seconds) {
  const size_t index = IndexOf(fault);
  if (attempts_[index] == nullptr) {
    attempts_[index] = &families_.attempts.Add(WithError(labels_, fault));
    attempt_durations_[index] = &families_.attempt_duration.Add(WithError(Without(coarse_, "tenant"), fault),
                                                                QueryFamilies::DurationBuckets());
  }
  Attempts().Decrement();
  attempts_[index]->Increment();
  attempt_durations_[index]->Observe(seconds);
}

}  // namespace llm_router
