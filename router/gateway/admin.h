// AdminDoor: health, readiness and metrics over HTTP, for probes and Prometheus.
//
// `GET /health` 200 `healthy` while the process runs; `GET /ready` 200 or 503 with {"is_healthy",
// "is_ready"}; `GET /metrics` in Prometheus' text format, for a key with access admin where keys are asked
// for; and the KubeMQ REST API, where it is mounted. Owned by the composition root; loop thread only.
// `co_await Stop()` before destruction.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/awaitable.h"
#include "router/gateway/access.h"
#include "router/net/http_server.h"
#include "router/net/server_tls.h"
#include "router/telemetry/metrics.h"

namespace llm_router {

class AdminDoor {
 public:
  // Listens; port 0 means any. `metrics` and `tls` outlive the door; without `tls` it is plaintext.
  // `access` is shared with the other doors.
  // `body_limit`: bytes of a request.
  static absl::StatusOr<std::unique_ptr<AdminDoor>> Start(Executor executor, const std::string& host,
                                                          int port, Metrics& metrics,
                                                          std::shared_ptr<Access> access,
                                                          const ServerTls* tls,
                                                          size_t body_limit = 64 * 1024);
  virtual ~AdminDoor() = default;

  virtual int port() const = 0;
  // From now on `other` answers what this door itself has not; it lives until Stop has returned.
  virtual void Mount(HttpHandler other) = 0;
  // Not ready until told so.
  virtual void SetReady(bool ready) = 0;
  virtual Awaitable<void> Stop() = 0;
};

}  // namespace llm_router
