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

void EventStream::Begin(StreamReader<kubemq::EventReceive>& reader, bool /*marked*/,
                        kubemq::Subscribe subscribe) {
  reader.Start(std::move(subscribe), [this](grpc::ClientContext* context, const kubemq::Subscribe* asked,
                                            grpc::ClientReadReactor<kubemq::EventReceive>* reactor) {
    connection().stub().async()->SubscribeToEvents(context, asked, reactor);
  });
}

}  // namespace llm_router
