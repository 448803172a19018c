// Doors: where callers come in, all of the role gateway: KubeMQ over gRPC and REST, and HTTP.
//
// Owned by the App; loop thread. `co_await Stop()` before destruction, also when opening failed half way.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "broker_adapters/base/loop.h"
#include "broker_adapters/broker.h"
#include "router/config/config.h"
#include "router/gateway/access.h"
#include "router/gateway/admin.h"
#include "router/gateway/http_gateway.h"
#include "router/gateway/kubemq_grpc.h"
#include "router/gateway/kubemq_rest.h"
#include "router/telemetry/door_metrics.h"

namespace llm_router {

class Doors {
 public:
  // All but `access`, which is shared with other doors, outlive it; `tls` and `tracer` may be null.
  absl::Status Open(Loop& loop, Broker& broker, const Config& config, std::shared_ptr<Access> access,
                    const ServerTls* tls, Tracer* tracer);
  // The KubeMQ REST API at the admin door too.
  void MountAt(AdminDoor& admin);

  // " grpc=HOST:PORT rest=HOST:PORT", and " http=HOST:PORT"; empty where they are not open.
  std::string KubemqPorts() const;
  std::string HttpPort() const;

  // What each open door counted.
  std::vector<DoorFigures> Figures() const;

  // Ends the streams of callers whose keys are no longer configured as they were.
  void EndRevoked();
  // Takes no more, finishes what was taken, ends what is left after `grace`, and closes.
  Awaitable<void> Stop(Executor executor, Milliseconds grace);

 private:
  std::string host_;
  std::shared_ptr<KubemqServer> kubemq_;  // shared with its doors and their calls
  std::unique_ptr<KubemqDoor> grpc_;
  std::unique_ptr<KubemqRest> rest_;
  std::unique_ptr<HttpGateway> http_;
};

}  // namespace llm_router
