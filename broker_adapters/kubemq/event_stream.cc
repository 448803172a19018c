#include "broker_adapters/kubemq/event_stream.h"

#include "broker_adapters/kubemq/convert.h"

namespace llm_router {
namespace {

kubemq::Subscribe SubscribeFor(const Connection& connection, const std::string& pattern,
                               const std::string& group) {
  kubemq::Subscribe subscribe;
  subscribe.set_subscribetypedata(kubemq::Subscribe::Events);
  subscribe.set_clientid(connection.options().client_id);
  subscribe.set_channel(pattern);
  subscribe.set_group(group);
  return subscribe;
}

}  // namespace

EventStream::EventStream(std::shared_ptr<Connection> connection, const std::string& pattern,
                         const std::string& group, EventHandler handler)
    : LiveStream(connection, SubscribeFor(*connection, pattern, group)), handler_(std::move(handler)) {}

Awaitable<void> EventStream::Take(kubemq::EventReceive event) {
  if (!closed()) handler_(FromWire(event));
  co_return;
}

std::shared_ptr<Reader<kubemq::EventReceive>> EventStream::Begin(bool /*marked*/,
                                                                 const kubemq::Subscribe& subscribe) {
  using EventReader = StreamReader<grpc::ClientReadReactor<kubemq::EventReceive>, kubemq::EventReceive>;
  const auto reader = std::make_shared<EventReader>(connection());
  reader->Start([&](grpc::ClientContext* context) {
    connection().stub().async()->SubscribeToEvents(context, &subscribe, reader.get());
  });
  return reader;
}

}  // namespace llm_router
