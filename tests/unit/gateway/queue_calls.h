// Queue calls at a DoorRig's gRPC door, as any KubeMQ SDK makes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/gateway/door_rig.h"

namespace llm_router::test {

kubemq::QueueMessage QueueMessageTo(const std::string& queue, const std::string& body = "hello");
kubemq::ReceiveQueueMessagesRequest ReceiveFrom(const std::string& queue, int max = 1, int wait_seconds = 1);

kubemq::SendQueueMessageResult Send(DoorRig& rig, const kubemq::QueueMessage& message);
kubemq::ReceiveQueueMessagesResponse Receive(DoorRig& rig,
                                             const kubemq::ReceiveQueueMessagesRequest& request);
kubemq::AckAllQueueMessagesResponse AckAll(DoorRig& rig, const std::string& queue);
kubemq::QueuesInfoResponse QueuesInfo(DoorRig& rig, const std::string& names = "");
std::vector<std::string> BodiesOf(const google::protobuf::RepeatedPtrField<kubemq::QueueMessage>& messages);

// A QueuesDownstream stream of a client.
class Downstream {
 public:
  explicit Downstream(DoorRig& rig, const std::string& key = "");
  ~Downstream();

  void Write(const kubemq::QueuesDownstreamRequest& request);
  kubemq::QueuesDownstreamResponse Read();
  kubemq::QueuesDownstreamResponse Ask(const kubemq::QueuesDownstreamRequest& request);
  grpc::Status HalfClose();  // and the stream's end; fails when something else still comes
  void Cancel();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<kubemq::QueuesDownstreamRequest, kubemq::QueuesDownstreamResponse>>
      stream_;
  bool over_ = false;
};

kubemq::QueuesDownstreamRequest GetFrom(const std::string& queue, int max = 1, bool auto_ack = false);
// Answered as soon as one is there.
kubemq::QueuesDownstreamRequest GetFirstFrom(const std::string& queue, int max = 1, int wait_ms = 10'000);
kubemq::QueuesDownstreamRequest Settling(kubemq::QueuesDownstreamRequestType type,
                                         const std::string& transaction,
                                         const std::vector<int64_t>& sequences = {});
// The same, to be answered when it is done.
kubemq::QueuesDownstreamRequest Confirmed(kubemq::QueuesDownstreamRequest request);

}  // namespace llm_router::test
