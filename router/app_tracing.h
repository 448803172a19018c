// Tracing: this process's spans, from their begin to the collector. Where no endpoint is set there is none.
#pragma once

#include <memory>
#include <string>

#include "broker_adapters/base/awaitable.h"
#include "router/config/config.h"
#include "router/net/http_client.h"
#include "router/telemetry/metrics.h"
#include "router/telemetry/span_exporter.h"
#include "router/telemetry/tracer.h"

namespace llm_router {

class Tracing {
 public:
  // `http` and `metrics` outlive it. Does nothing without an endpoint.
  Tracing(Executor executor, HttpClient& http, const TracingConfig& config, std::string instance,
          Metrics& metrics);

  // Null: tracing is off.
  Tracer* tracer() const { return tracer_.get(); }

  void Start();
  // Sends what there is, for 2 s at most. Nothing is traced any more then.
  Awaitable<void> Stop();

 private:
  std::unique_ptr<SpanExporter> exporter_;
  std::unique_ptr<Tracer> tracer_;
};

}  // namespace llm_router
