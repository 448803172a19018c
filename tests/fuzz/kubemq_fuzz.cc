// What the KubeMQ wire brings: the checks and conversions of door and adapter, there and back. The first byte
// chooses the message, the rest is its protobuf.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "broker_adapters/kubemq/queue_convert.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

// Another process of ours can read what we write: no string in it is other than UTF-8.
template <class Wire>
void MustCross(const Wire& wire) {
  Wire read;
  Must(read.ParseFromString(wire.SerializeAsString()), "what goes to the wire can be read from it");
}

void FeedRequest(const std::string& bytes) {
  kubemq::Request request;
  if (!request.ParseFromString(bytes)) return;
  (void)kubemq_check::Request(request);
  Query query = FromWire(request, Now());
  const std::string body = query.message.body;
  const kubemq::Request back = ToWire(std::move(query));
  Must(back.body() == body && back.timeout() >= 1, "a query keeps its body and has a timeout");
  MustCross(back);
}

void FeedResponse(const std::string& bytes) {
  kubemq::Response response;
  if (!response.ParseFromString(bytes)) return;
  (void)kubemq_check::Response(response);
  Reply reply = FromWire(response);
  (void)FailureIn(reply);
  MustCross(ToWire(std::move(reply)));
}

void FeedEvent(const std::string& bytes) {
  kubemq::Event event;
  if (!event.ParseFromString(bytes)) return;
  (void)kubemq_check::Event(event);
  const Message message = FromWire(event);
  MustCross(EventReceiveToWire(message));
  MustCross(EventToWire(message));
}

void FeedSubscribe(const std::string& bytes) {
  kubemq::Subscribe subscribe;
  if (!subscribe.ParseFromString(bytes)) return;
  (void)kubemq_check::RequestsSubscription(subscribe);
  (void)kubemq_check::EventsSubscription(subscribe);
  (void)kubemq_check::Channel(subscribe.channel());
}

void FeedQueueMessage(const std::string& bytes) {
  kubemq::QueueMessage wire;
  if (!wire.ParseFromString(bytes)) return;
  (void)kubemq_check::QueueMessage(wire);
  Outgoing outgoing = OutgoingFromWire(wire);
  Delivery delivery;
  delivery.attributes.expires_at = wire.attributes().expirationat();
  delivery.attributes.sent_at = std::max<int64_t>(wire.attributes().timestamp(), 0);
  delivery.attributes.dead_letter = outgoing.dead_letter;
  delivery.attributes.max_deliveries = outgoing.max_deliveries;
  delivery.message = std::move(outgoing.message);
  const kubemq::QueueMessage back = QueueMessageToWire(delivery);
  Must(back.body() == wire.body(), "a queue message keeps its body");
  MustCross(back);
}

template <class Wire>
void FeedChecked(const std::string& bytes, std::string_view (*check)(const Wire&)) {
  Wire wire;
  if (wire.ParseFromString(bytes)) (void)check(wire);
}

void FeedQueueRequests(const std::string& bytes) {
  FeedChecked<kubemq::ReceiveQueueMessagesRequest>(bytes, kubemq_check::Receive);
  FeedChecked<kubemq::AckAllQueueMessagesRequest>(bytes, kubemq_check::AckAll);
  FeedChecked<kubemq::QueuesDownstreamRequest>(bytes, kubemq_check::Get);
  FeedChecked<kubemq::StreamQueueMessagesRequest>(bytes, kubemq_check::StreamReceive);
}

}  // namespace
}  // namespace llm_router

// Protobuf would tell of every string that is not UTF-8.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(llm_router::fuzz::TextOf(data + 1, size - 1));
  switch (*data % 6) {
    case 0:
      llm_router::FeedRequest(bytes);
      break;
    case 1:
      llm_router::FeedResponse(bytes);
      break;
    case 2:
      llm_router::FeedEvent(bytes);
      break;
    case 3:
      llm_router::FeedSubscribe(bytes);
      break;
    case 4:
      llm_router::FeedQueueMessage(bytes);
      break;
    default:
      llm_router::FeedQueueRequests(bytes);
  }
  return 0;
}
