#include "tests/unit/gateway/queue_calls.h"

#include <utility>

#include "tests/support/catch.h"

namespace llm_router::test {

kubemq::QueueMessage QueueMessageTo(const std::string& queue, const std::string& body) {
  kubemq::QueueMessage message;
  message.set_clientid("sender");
  message.set_channel(queue);
  message.set_body(body);
  return message;
}

kubemq::ReceiveQueueMessagesRequest ReceiveFrom(const std::string& queue, int max, int wait_seconds) {
  kubemq::ReceiveQueueMessagesRequest request;
  request.set_requestid("receive");
  request.set_clientid("receiver");
  request.set_channel(queue);
  request.set_maxnumberofmessages(max);
  request.set_waittimeseconds(wait_seconds);
  return request;
}

kubemq::SendQueueMessageResult Send(DoorRig& rig, const kubemq::QueueMessage& message) {
  grpc::ClientContext context;
  kubemq::SendQueueMessageResult result;
  const grpc::Status status = rig.stub().SendQueueMessage(&context, message, &result);
  INFO(status.error_message());
  CHECK(status.ok());
  return result;
}

kubemq::ReceiveQueueMessagesResponse Receive(DoorRig& rig,
                                             const kubemq::ReceiveQueueMessagesRequest& request) {
  grpc::ClientContext context;
  kubemq::ReceiveQueueMessagesResponse response;
  const grpc::Status status = rig.stub().ReceiveQueueMessages(&context, request, &response);
  INFO(status.error_message());
  CHECK(status.ok());
  return response;
}

kubemq::AckAllQueueMessagesResponse AckAll(DoorRig& rig, const std::string& queue) {
  grpc::ClientContext context;
  kubemq::AckAllQueueMessagesRequest request;
  request.set_requestid("purge");
  request.set_clientid("admin");
  request.set_channel(queue);
  kubemq::AckAllQueueMessagesResponse response;
  CHECK(rig.stub().AckAllQueueMessages(&context, request, &response).ok());
  return response;
}

kubemq::QueuesInfoResponse QueuesInfo(DoorRig& rig, const std::string& names) {
  grpc::ClientContext context;
  kubemq::QueuesInfoRequest request;
  request.set_requestid("info");
  request.set_queuename(names);
  kubemq::QueuesInfoResponse response;
  CHECK(rig.stub().QueuesInfo(&context, request, &response).ok());
  return response;
}

std::vector<std::string> BodiesOf(const google::protobuf::RepeatedPtrField<kubemq::QueueMessage>& messages) {
  std::vector<std::string> bodies;
  for (const kubemq::QueueMessage& message : messages) bodies.push_back(message.body());
  return bodies;
}

Downstream::Downstream(DoorRig& rig, const std::string& key) {
  if (!key.empty()) context_.AddMetadata("authorization", key);
  stream_ = rig.stub().QueuesDownstream(&context_);
}

Downstream::~Downstream() {
  if (!over_) Cancel();
}

void Downstream::Write(const kubemq::QueuesDownstreamRequest& request) { REQUIRE(stream_->Write(request)); }

kubemq::QueuesDownstreamResponse Downstream::Read() {
  kubemq::QueuesDownstreamResponse response;
  REQUIRE(stream_->Read(&response));
  return response;
}

kubemq::QueuesDownstreamResponse Downstream::Ask(const kubemq::QueuesDownstreamRequest& request) {
  Write(request);
  return Read();
}

grpc::Status Downstream::HalfClose() {
  over_ = true;
  stream_->WritesDone();
  kubemq::QueuesDownstreamResponse response;
  while (stream_->Read(&response)) FAIL_CHECK("one more: " << response.ShortDebugString());
  return stream_->Finish();
}

void Downstream::Cancel() {
  over_ = true;
  context_.TryCancel();
  (void)stream_->Finish();
}

kubemq::QueuesDownstreamRequest GetFrom(const std::string& queue, int max, bool auto_ack) {
  kubemq::QueuesDownstreamRequest request;
  request.set_requestid("get");
  request.set_clientid("receiver");
  request.set_requesttypedata(kubemq::Get);
  request.set_channel(queue);
  request.set_maxitems(max);
  request.set_waittimeout(1'000);
  request.set_autoack(auto_ack);
  return request;
}

kubemq::QueuesDownstreamRequest GetFirstFrom(const std::string& queue, int max, int wait_ms) {
  auto request = GetFrom(queue, max);
  request.set_waittimeout(wait_ms);
  (*request.mutable_metadata())["answer"] = "first";
  return request;
}

kubemq::QueuesDownstreamRequest Settling(kubemq::QueuesDownstreamRequestType type,
                                         const std::string& transaction,
                                         const std::vector<int64_t>& sequences) {
  kubemq::QueuesDownstreamRequest request;
  request.set_requestid("settle");
  request.set_requesttypedata(type);
  request.set_reftransactionid(transaction);
  for (const int64_t sequence : sequences) request.add_sequencerange(sequence);
  return request;
}

kubemq::QueuesDownstreamRequest Confirmed(kubemq::QueuesDownstreamRequest request) {
  (*request.mutable_metadata())["confirm"] = "yes";
  return request;
}

}  // namespace llm_router::test
