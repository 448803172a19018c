#include "router/gateway/stored_door.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/check.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/kubemq_text.h"
#include "router/gateway/kubemq_access.h"

namespace llm_router {
namespace {

constexpr int64_t kNanosInSecond = 1'000'000'000;

// Seconds until the year 5138, milliseconds from 1973 on, and so forth.
int64_t NanosOf(int64_t time) {
  if (time < 100'000'000'000) {
    return time > std::numeric_limits<int64_t>::max() / kNanosInSecond ? std::numeric_limits<int64_t>::max()
                                                                       : time * kNanosInSecond;
  }
  if (time < 100'000'000'000'000) return time * 1'000'000;
  if (time < 100'000'000'000'000'000) return time * 1'000;
  return time;
}

int64_t Ago(int64_t now, int64_t seconds) {
  return seconds >= now / kNanosInSecond ? 0 : now - seconds * kNanosInSecond;
}

StoredStart StartOf(const kubemq::Subscribe& subscribe, int64_t now) {
  using From = StoredStart::From;
  StoredStart start;
  const int64_t value = subscribe.eventsstoretypevalue();
  switch (subscribe.eventsstoretypedata()) {
    case kubemq::Subscribe::StartFromFirst:
      start.from = From::kFirst;
      break;
    case kubemq::Subscribe::StartFromLast:
      start.from = From::kLast;
      break;
    case kubemq::Subscribe::StartAtSequence:
      start.from = From::kSequence;
      start.sequence = static_cast<uint64_t>(std::max<int64_t>(value, 1));
      break;
    case kubemq::Subscribe::StartAtTime:
      start.from = From::kTime;
      start.time = NanosOf(value);
      break;
    case kubemq::Subscribe::StartAtTimeDelta:
      start.from = From::kTime;
      start.time = Ago(now, value);
      break;
    default:
      start.from = From::kNew;
  }
  return start;
}

}  // namespace

Awaitable<std::string> PublishStored(std::shared_ptr<KubemqServer> server, kubemq::Event event,
                                     CallerPtr caller, DoorStats& stats) {
  if (const auto text = kubemq_check::Event(event); !text.empty()) co_return std::string(text);
  if (server->refusing()) co_return std::string(kubemq_text::kNotReady);
  StoredEvents* const stored = server->broker().stored_events();
  if (stored == nullptr) co_return std::string(kNoStoredEvents);
  const size_t bytes = event.body().size();
  if (bytes > server->options().max_body)
    co_return "the event's body is larger than limits.body allows: send less, or raise that setting";
  if (!server->Enter(bytes)) co_return "too many requests are under way: publish again later";
  Message message = FromWire(event);
  StampTenant(*caller, message);
  const auto sequence = co_await stored->Publish(std::move(message));
  server->Leave(bytes);
  if (!sequence.ok()) co_return std::string(MessageOf(sequence.status()));
  server->channels().Sent(ChannelType::kEventsStore, event.channel(), bytes);
  ++stats.events;
  co_return std::string();
}

StoredSubscribe StoredSubscribeOf(const kubemq::Subscribe& subscribe, int64_t now) {
  StoredSubscribe options;
  options.channel = subscribe.channel();
  options.group = subscribe.group();
  options.client_id = subscribe.clientid();
  options.start = StartOf(subscribe, now);
  return options;
}

kubemq::EventReceive StoredEventFor(const Caller& caller, const StoredEvent& event) {
  kubemq::EventReceive wire = EventFor(caller, event.message);
  wire.set_sequence(event.sequence);
  wire.set_timestamp(event.stored_at);
  return wire;
}

void ListStoredChannels(KubemqServer& server) {
  StoredEvents* const stored = server.broker().stored_events();
  if (stored == nullptr) return;
  for (const StoredTotals& totals : stored->Channels()) {
    server.channels().Kept(ChannelType::kEventsStore, totals.name, totals.last_sequence, totals.bytes,
                           totals.last_at / 1'000'000);
  }
}

}  // namespace llm_router
