// SpanExporter: sends spans to a collector, as OTLP over HTTP in JSON.
//
// A batch at a time: what came within a second, at most 512 spans. At most 8,192 wait; the newest are dropped
// then. A batch that the collector can't take now is sent again, a few times; one that it refuses is not. The
// log says each of these once a second at most, and never shows a header. Owned by the composition root, as
// is `http`, which outlives it; loop thread only. `co_await Stop()` before destruction.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "broker_adapters/base/log_limit.h"
#include "broker_adapters/base/secret.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/base/waker.h"
#include "router/net/http_client.h"

namespace llm_router {

struct SpanExporterOptions {
  SpanExporterOptions() = default;

  std::string endpoint;                                 // http://collector:4318
  std::vector<std::pair<std::string, Secret>> headers;  // of every call
  std::string instance;                                 // of this process, as heartbeats name it
  size_t batch = 512;                                   // spans
  size_t most_waiting = 8'192;                          // spans
  Milliseconds every = std::chrono::seconds(1);
  Milliseconds patience = std::chrono::seconds(10);  // for one call
  int tries = 5;                                     // of a batch
  Milliseconds first_backoff = std::chrono::seconds(1);
  Milliseconds longest_backoff = std::chrono::seconds(30);
};

class SpanExporter {
 public:
  // Told what became of how many spans: sent, dropped, failed.
  using Count = std::function<void(std::string_view outcome, size_t spans)>;

  SpanExporter(Executor executor, HttpClient& http, SpanExporterOptions options, Count count);

  void Start();
  // A span, as Tracer gives it.
  void Take(std::string_view span);

  // Sends what waits, for at most `limit`; the rest has failed.
  Awaitable<void> Stop(Milliseconds limit);

 private:
  // The body of a call, without its end.
  struct Batch {
    Batch() = default;

    std::string body;
    size_t spans = 0;
  };
  // How sending a batch went.
  struct Sent {
    Sent() = default;

    std::string why;  // empty: well
    bool may_retry = false;
  };

  Awaitable<void> Run();
  Awaitable<bool> AwaitBatch();
  Batch TakeBatch();
  Awaitable<bool> Send(Batch batch);
  Awaitable<Sent> Post(std::string body);
  Awaitable<void> CancelAt(TimePoint when);
  void Drop();
  void Complain(std::string_view why, size_t spans);

  HttpClient& http_;
  const SpanExporterOptions options_;
  const Count count_;
  const std::string begin_;    // of every body
  std::deque<Batch> waiting_;  // all but the last are full
  size_t waiting_spans_ = 0;
  size_t usual_bytes_ = 0;  // of a batch
  bool stopping_ = false;
  Waker waker_;
  LogLimit complaints_;
  LogLimit drops_;
  TaskGroup tasks_;
  TaskGroup limit_;
};

}  // namespace llm_router
