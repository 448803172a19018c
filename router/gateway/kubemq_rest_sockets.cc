#include "router/gateway/kubemq_rest_sockets.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/log.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/base/utf8.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_json.h"
#include "router/gateway/kubemq_rest_socket.h"
#include "router/gateway/queue_visit.h"
#include "router/gateway/remote_queries.h"
#include "router/gateway/rest_reply.h"
#include "router/gateway/stored_door.h"
#include "router/net/url_query.h"

namespace llm_router::rest_sockets {
namespace {

constexpr auto kTellAgainAfter = std::chrono::seconds(10);

std::string ValueOr(const UrlQuery& query, std::string_view name) {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

kubemq::Subscribe::SubscribeType TypeNamed(std::string_view name) {
  if (name == "events") return kubemq::Subscribe::Events;
  if (name == "events_store") return kubemq::Subscribe::EventsStore;
  if (name == "commands") return kubemq::Subscribe::Commands;
  if (name == "queries") return kubemq::Subscribe::Queries;
  return kubemq::Subscribe::SubscribeTypeUndefined;
}

absl::StatusOr<kubemq::Subscribe> SubscribeOf(const HttpRequest& request) {
  ASSIGN_OR_RETURN(const UrlQuery query, ParseUrlQuery(request.query));
  kubemq::Subscribe subscribe;
  subscribe.set_clientid(ToUtf8(ValueOr(query, "client_id")));
  subscribe.set_channel(ToUtf8(ValueOr(query, "channel")));
  subscribe.set_group(ToUtf8(ValueOr(query, "group")));
  subscribe.set_subscribetypedata(TypeNamed(ValueOr(query, "subscribe_type")));
  const auto start = ParseNumber<int>(ValueOr(query, "events_store_type_data"));
  if (start && kubemq::Subscribe::EventsStoreType_IsValid(*start))
    subscribe.set_eventsstoretypedata(static_cast<kubemq::Subscribe::EventsStoreType>(*start));
  subscribe.set_eventsstoretypevalue(
      ParseNumber<int64_t>(ValueOr(query, "events_store_type_value")).value_or(0));
  return subscribe;
}

// Lives as long as its WebSocket's coroutine, within which the broker calls it.
class EventSink {
 public:
  EventSink(const RestCall& call, WebSocket& socket)
      : state_(call.state), caller_(call.caller), socket_(socket) {}

  void Offer(const Message& event) {
    if (!socket_.TrySend(JsonMessage(EventFor(*caller_, event)))) return Drop(event.channel);
    ++state_.stats.events_delivered;
    state_.server->channels().Delivered(ChannelType::kEvents, event.channel, event.body.size());
  }

 private:
  void Drop(std::string_view channel) {
    ++dropped_;
    ++state_.stats.events_dropped;
    if (Now() - told_ < kTellAgainAfter) return;
    told_ = Now();
    log::Warning("a WebSocket subscriber to {} is too slow: {} events dropped so far", channel, dropped_);
  }

  RestState& state_;
  const CallerPtr caller_;
  WebSocket& socket_;
  uint64_t dropped_ = 0;
  TimePoint told_{};  // when the log last said so
};

// One subscriber to requests. Shared with the handlers that run, which may unwind after its WebSocket's end.
struct RequestSink {
  RequestSink(std::shared_ptr<KubemqServer> its_server, WebSocket* its_socket)
      : server(std::move(its_server)), socket(its_socket) {}

  // From here on nothing goes to the WebSocket; who waits for an answer hears worker_lost.
  void End() {
    socket = nullptr;
    for (PendingReplies::Pending* pending : unanswered) pending->Set(WorkerLost());
  }

  const std::shared_ptr<KubemqServer> server;
  WebSocket* socket;
  std::set<PendingReplies::Pending*> unanswered;
};

Awaitable<absl::StatusOr<Reply>> Handle(std::shared_ptr<RequestSink> sink, Query query) {
  if (sink->socket == nullptr) co_return WorkerLost();
  const TimePoint deadline = query.deadline;
  PendingReplies::Pending pending(sink->server->replies(), sink->server->loop().executor());
  const kubemq::Request request = Delivered(*sink->server, std::move(query), pending.reply_channel());
  if (!sink->socket->TrySend(JsonMessage(request))) {
    co_return MakeFault(Fault::kOverloaded, "the worker is too slow to take the query: ask again later");
  }
  sink->unanswered.insert(&pending);
  auto reply = co_await pending.Wait(deadline);
  sink->unanswered.erase(&pending);
  co_return AnswerOf(std::move(reply));
}

// Publishes what may be; the text to refuse it with, or nothing.
Awaitable<std::string> PublishChecked(RestCall call, kubemq::Event event) {
  if (const auto text = kubemq_check::Event(event); !text.empty()) co_return std::string(text);
  const absl::Status allowed = CheckNoted(call, event);
  if (!allowed.ok()) co_return DenialText(allowed);
  co_return co_await Publish(call, std::move(event));
}

// One subscriber to stored events. Shared with the WebSocket's writer, which may outlast it.
struct StoredSink {
  StoredSink(const RestCall& call, WebSocket* its_socket)
      : state(call.state), caller(call.caller), socket(its_socket) {}

  RestState& state;
  const CallerPtr caller;
  WebSocket* socket;
  StoredSubscriptionPtr subscription;  // null before and after
};

void Offer(const std::shared_ptr<StoredSink>& sink, const StoredEvent& event) {
  WebSocketMessage message = JsonMessage(StoredEventFor(*sink->caller, event));
  message.written = [weak = std::weak_ptr(sink), sequence = event.sequence] {
    const auto living = weak.lock();
    if (living && living->subscription) living->subscription->Acknowledge(sequence);
  };
  // What it can't take now is not lost: it comes again after its next subscription.
  if (!sink->socket->TrySend(std::move(message)))
    return sink->socket->Close(WebSocketClose::kFailed, "too slow: subscribe again to go on from here");
  ++sink->state.stats.events_delivered;
  sink->state.server->channels().Delivered(ChannelType::kEventsStore, event.message.channel,
                                           event.message.body.size());
}

Awaitable<void> SubscribeStored(RestCall call, kubemq::Subscribe subscribe) {
  StoredEvents* const stored = call.state.server->broker().stored_events();
  if (stored == nullptr) co_return co_await Refuse(call, 501, std::string(kNoStoredEvents));
  StoredSubscribe options = StoredSubscribeOf(subscribe, UnixNanos());
  options.capacity = std::min<size_t>(options.capacity, call.state.options.queued_events);
  options.capacity_bytes /= 4;  // their JSON must fit into what a WebSocket queues
  const auto socket = Upgrade(call, options.capacity);
  if (!socket.ok()) co_return co_await RefuseUpgrade(call, socket.status());

  const auto sink = std::make_shared<StoredSink>(call, *socket);
  auto subscription = co_await stored->Subscribe(std::move(options),
                                                 [sink](const StoredEvent& event) { Offer(sink, event); });
  if (!subscription.ok()) co_return co_await Refuse(call, 400, std::string(MessageOf(subscription.status())));
  sink->subscription = *std::move(subscription);
  ChannelRegistry& channels = call.state.server->channels();
  channels.Subscribed(ChannelType::kEventsStore, subscribe.channel());
  {
    const Open open(call, *socket);
    if ((co_await (*socket)->Accept()).ok()) co_await Stay(**socket);
  }
  channels.Unsubscribed(ChannelType::kEventsStore, subscribe.channel());
  sink->subscription.reset();
}

}  // namespace

Awaitable<void> SubscribeEvents(RestCall call) {
  const auto subscribe = SubscribeOf(call.request);
  if (!subscribe.ok()) co_return co_await Refuse(call, 400, std::string(MessageOf(subscribe.status())));
  if (const auto text = kubemq_check::EventsSubscription(*subscribe); !text.empty())
    co_return co_await Refuse(call, 400, std::string(text));
  if (const auto allowed = CheckNoted(call, *subscribe); !allowed.ok())
    co_return (void) co_await call.responder.Send(rest_reply::Denial(allowed));
  if (subscribe->subscribetypedata() == kubemq::Subscribe::EventsStore)
    co_return co_await SubscribeStored(call, *subscribe);
  const auto socket = Upgrade(call, call.state.options.queued_events);
  if (!socket.ok()) co_return co_await RefuseUpgrade(call, socket.status());

  EventSink sink(call, **socket);
  auto subscription = co_await call.state.server->broker().Subscribe(
      subscribe->channel(), subscribe->group(), [&sink](const Message& event) { sink.Offer(event); });
  if (!subscription.ok()) co_return co_await Refuse(call, 400, std::string(MessageOf(subscription.status())));
  ChannelRegistry& channels = call.state.server->channels();
  channels.Subscribed(ChannelType::kEvents, subscribe->channel());
  {
    const Open open(call, *socket);
    if ((co_await (*socket)->Accept()).ok()) co_await Stay(**socket);
  }
  channels.Unsubscribed(ChannelType::kEvents, subscribe->channel());
  subscription->reset();
}

Awaitable<void> SubscribeRequests(RestCall call) {
  const auto subscribe = SubscribeOf(call.request);
  if (!subscribe.ok()) co_return co_await Refuse(call, 400, std::string(MessageOf(subscribe.status())));
  if (const auto text = kubemq_check::RequestsSubscription(*subscribe); !text.empty())
    co_return co_await Refuse(call, 400, std::string(text));
  if (const auto allowed = CheckNoted(call, *subscribe); !allowed.ok())
    co_return (void) co_await call.responder.Send(rest_reply::Denial(allowed));
  const auto socket = Upgrade(call, kUnboundCapacity);
  if (!socket.ok()) co_return co_await RefuseUpgrade(call, socket.status());

  const auto sink = std::make_shared<RequestSink>(call.state.server, *socket);
  auto subscription = co_await call.state.server->broker().Serve(
      ServeOptionsFor(*subscribe, kUnboundCapacity),
      [sink](Query query) { return Handle(sink, std::move(query)); });
  if (!subscription.ok()) co_return co_await Refuse(call, 400, std::string(MessageOf(subscription.status())));
  ChannelRegistry& channels = call.state.server->channels();
  channels.Subscribed(TypeOf(*subscribe), subscribe->channel());
  {
    const Open open(call, *socket);
    if ((co_await (*socket)->Accept()).ok()) co_await Stay(**socket);
  }
  channels.Unsubscribed(TypeOf(*subscribe), subscribe->channel());
  sink->End();
  subscription->reset();
}

Awaitable<void> SendStream(RestCall call) {
  const auto socket = Upgrade(call, call.state.options.queued_events);
  if (!socket.ok()) co_return co_await RefuseUpgrade(call, socket.status());
  const Open open(call, *socket);
  if (!(co_await (*socket)->Accept()).ok()) co_return;
  for (auto frame = co_await (*socket)->Receive(); frame.ok(); frame = co_await (*socket)->Receive()) {
    if (!frame->is_text) continue;
    kubemq::Event event;
    kubemq::Result result;
    if (const absl::Status read = ReadKubemqJson(frame->data, event); read.ok()) {
      result.set_eventid(event.eventid().empty() ? NewId() : event.eventid());
      event.set_eventid(result.eventid());
      result.set_error(co_await PublishChecked(call, std::move(event)));
    } else {
      result.set_error(std::string(MessageOf(read)));
    }
    result.set_sent(result.error().empty());
    if (!(co_await (*socket)->Send(JsonMessage(result))).ok()) co_return;
  }
}

Awaitable<void> QueueStream(RestCall call) {
  const auto upgraded = Upgrade(call, call.state.options.queued_events);
  if (!upgraded.ok()) co_return co_await RefuseUpgrade(call, upgraded.status());
  WebSocket& socket = **upgraded;
  const Open open(call, &socket);
  if (!(co_await socket.Accept()).ok()) co_return;
  const auto visit = QueueVisit::Begin(
      *call.state.server, call.state.queues, QueueCaller(call.caller, kRestDoor, call.request.remote),
      [&socket](kubemq::StreamQueueMessagesResponse response, bool is_last) {
        const bool sent = socket.TrySend(JsonMessage(response));
        if (!sent || is_last) socket.Close(sent ? WebSocketClose::kNormal : WebSocketClose::kFailed, "");
      });
  for (auto frame = co_await socket.Receive(); frame.ok(); frame = co_await socket.Receive()) {
    kubemq::StreamQueueMessagesRequest request;
    if (!frame->is_text) continue;
    if (const absl::Status read = ReadKubemqJson(frame->data, request); !read.ok()) {
      kubemq::StreamQueueMessagesResponse response;
      response.set_iserror(true);
      response.set_error(std::string(MessageOf(read)));
      (void)socket.TrySend(JsonMessage(response));
    } else if (visit->HasRoom()) {
      visit->Take(std::move(request));
    } else {
      socket.Close(WebSocketClose::kRefused, "wait for an answer before the next request");
    }
  }
  visit->End();
}

}  // namespace llm_router::rest_sockets
