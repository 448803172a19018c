#include "router/app_tracing.h"

#include <utility>

namespace llm_router {
namespace {

constexpr Milliseconds kLastSpans = std::chrono::seconds(2);

SpanExporterOptions OptionsOf(const TracingConfig& config, std::string instance) {
  SpanExporterOptions options;
  options.endpoint = config.endpoint;
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  options.headers = config.headers;
  options.instance = std::move(instance);
  return options;
}

}  // namespace

Tracing::Tracing(Executor executor, HttpClient& http, const TracingConfig& config, std::string instance,
                 Metrics& metrics) {
  if (config.endpoint.empty()) return;
  exporter_ = std::make_unique<SpanExporter>(
      executor, http, OptionsOf(config, std::move(instance)),
      [&metrics](std::string_view outcome, size_t spans) { metrics.Traced(outcome, spans); });
  tracer_ = std::make_unique<Tracer>(config.sample_percent,
                                     [this](std::string_view span) { exporter_->Take(span); });
}

void Tracing::Start() {
  if (exporter_) exporter_->Start();
}

Awaitable<void> Tracing::Stop() {
  if (exporter_) co_await exporter_->Stop(kLastSpans);
}

}  // namespace llm_router
