#include "router/gateway/queue_taking.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/kubemq/queue_convert.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr size_t kMostAtOnce = 1'024;

// Keeps a queue's receiver in the books while it waits.
class Receiving {
 public:
  Receiving(KubemqServer& server, const std::string& queue) : channels_(server.channels()), queue_(queue) {
    channels_.Subscribed(ChannelType::kQueues, queue_);
  }
  ~Receiving() { channels_.Unsubscribed(ChannelType::kQueues, queue_); }
  Receiving(const Receiving&) = delete;
  Receiving& operator=(const Receiving&) = delete;

 private:
  ChannelRegistry& channels_;
  const std::string& queue_;
};

// False: no more fits.
bool AddOne(Delivery& delivery, Taking& taking, KubemqServer& server) {
  kubemq::QueueMessage message = QueueMessageToWire(delivery);
  const size_t bytes = message.ByteSizeLong();
  if (!taking.messages.empty() && taking.bytes + bytes > kMostAnswerBytes) return false;
  taking.bytes += bytes;
  server.channels().Delivered(ChannelType::kQueues, message.channel(), message.body().size());
  taking.messages.push_back(std::move(message));
  taking.hold.Take(std::move(delivery.receipt));
  return true;
}

// The same; what is left of `deliveries` goes back.
bool Add(std::vector<Delivery> deliveries, Taking& taking, KubemqServer& server) {
  QueueHold left(server);
  bool fits = true;
  for (Delivery& delivery : deliveries) {
    fits = fits && AddOne(delivery, taking, server);
    if (!fits) left.Take(std::move(delivery.receipt));
  }
  return fits && taking.bytes < kMostAnswerBytes;
}

}  // namespace

Awaitable<absl::StatusOr<Taking>> TakeMessages(KubemqServer& server, std::string queue,
                                               TakingOptions options) {
  const Receiving receiving(server, queue);
  const TimePoint until = Now() + options.wait;
  Taking taking(server);
  while (true) {
    ReceiveOptions receive;
    receive.max = std::min(options.max - taking.messages.size(), kMostAtOnce);
    receive.wait = Remaining(until);
    auto deliveries = co_await server.broker().Receive(queue, receive);
    if (!deliveries.ok()) {
      // What came before the failure goes out.
      if (!taking.messages.empty() && !co_await Cancelled()) break;
      co_return deliveries.status();
    }
    const bool more = Add(*std::move(deliveries), taking, server);
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the caller went away");
    const bool enough =
        taking.messages.size() >= options.max || (options.at_first && !taking.messages.empty());
    if (!more || enough || Now() >= until) break;
  }
  co_return taking;
}

}  // namespace llm_router
