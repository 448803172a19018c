// WorkerLink: a subscription to queries at a server of ours (proto/workers.proto): queries come and answers
// go by one stream.
//
// Shared by who reads, by the answers still to be sent, and by gRPC. Loop thread only, but for gRPC's
// reactions.
#pragma once

#include <memory>
#include <optional>

#include "broker_adapters/kubemq/outbox.h"
#include "broker_adapters/kubemq/stream_reader.h"
#include "workers.grpc.pb.h"

namespace llm_router {

class WorkerLink final : public StreamReader<grpc::ClientBidiReactor<wire::FromWorker, wire::ToWorker>,
                                             wire::ToWorker, kubemq::Request> {
 public:
  explicit WorkerLink(Connection& connection);

  void Subscribe(kubemq::Subscribe subscribe, size_t capacity);
  // Goes with the stream; lost when that is over, for then its caller has heard worker_lost.
  void Reply(kubemq::Response response);
  // Returns when nothing more comes and all that came is answered, or the stream is over.
  Awaitable<void> Drain();

  void OnWriteDone(bool ok) override { outbox_.Written(ok); }

 private:
  std::optional<kubemq::Request> Accept(wire::ToWorker message) override;
  void ReadingOver() override;

  Connection& connection_;
  Outbox<wire::FromWorker> outbox_;
  OneShot<bool> drained_;
};

}  // namespace llm_router
