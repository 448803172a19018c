#include "broker_adapters/kubemq/queue_client_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/text.h"
#include "broker_adapters/base/utf8.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/fault.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"

namespace llm_router {
namespace {

constexpr int64_t kNanosOfSecond = 1'000'000'000;
// On a copy: how often the message had been delivered before it was made.
constexpr std::string_view kDeliveredTag = "llm-router-delivered";

int32_t WholeSeconds(std::chrono::milliseconds wait) {
  const int64_t seconds = wait.count() / 1'000 + (wait.count() % 1'000 > 0 ? 1 : 0);
  return static_cast<int32_t>(std::clamp<int64_t>(seconds, 0, std::numeric_limits<int32_t>::max()));
}

// A server that got no limit fills in the most there is.
bool IsLimited(const kubemq::QueueMessagePolicy& policy) {
  return policy.maxreceivecount() > 0 && policy.maxreceivecount() < kubemq_check::kMostReceiveCount;
}

int DeliveredBefore(const kubemq::QueueMessage& message) {
  const auto noted = message.tags().find(std::string(kDeliveredTag));
  if (noted == message.tags().end() || message.attributes().rerouted()) return 0;
  return std::clamp(ParseNumber<int>(noted->second).value_or(0), 0, 1'000'000);
}

bool Begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

}  // namespace

kubemq::QueueMessage QueueMessageOf(Outgoing outgoing, std::string queue, std::string_view client_id) {
  Message& message = outgoing.message;
  kubemq::QueueMessage wire;
  wire.set_messageid(message.id.empty() ? NewId() : ToUtf8(std::move(message.id)));
  wire.set_clientid(message.client_id.empty() ? std::string(client_id)
                                              : ToUtf8(std::move(message.client_id)));
  wire.set_channel(std::move(queue));
  wire.set_metadata(ToUtf8(std::move(message.metadata)));
  wire.set_body(std::move(message.body));
  for (const auto& [key, value] : message.tags) (*wire.mutable_tags())[ToUtf8(key)] = ToUtf8(value);
  kubemq::QueueMessagePolicy& policy = *wire.mutable_policy();
  policy.set_expirationseconds(WholeSeconds(outgoing.expiry));
  policy.set_delayseconds(WholeSeconds(outgoing.delay));
  policy.set_maxreceivecount(outgoing.max_deliveries);
  policy.set_maxreceivequeue(ToUtf8(std::move(outgoing.dead_letter)));
  return wire;
}

SendResult SendResultOf(const kubemq::SendQueueMessageResult& wire) {
  SendResult result;
  result.id = wire.messageid();
  if (wire.iserror()) {
    result.status = QueueFailure(wire.error(), wire.reftopic());
    return result;
  }
  result.sent_at = wire.sentat();
  result.expires_at = wire.expirationat();
  result.delayed_to = wire.delayedto();
  return result;
}

Delivery DeliveryOf(kubemq::QueueMessage wire) {
  const int before = DeliveredBefore(wire);
  wire.mutable_tags()->erase(std::string(kDeliveredTag));
  Delivery delivery;
  Message& message = delivery.message;
  message.id = wire.messageid();
  message.channel = wire.channel();
  message.client_id = wire.clientid();
  message.metadata = wire.metadata();
  message.body = std::move(*wire.mutable_body());
  message.timestamp = wire.attributes().timestamp();
  for (const auto& [key, value] : wire.tags()) message.tags.emplace(key, value);
  delivery.deliveries = std::max(wire.attributes().receivecount(), 1) + before;
  Attributes& attributes = delivery.attributes;
  attributes.sequence = wire.attributes().sequence();
  attributes.sent_at = wire.attributes().timestamp();
  attributes.expires_at = wire.attributes().expirationat();
  attributes.rerouted_from = wire.attributes().reroutedfromqueue();
  if (IsLimited(wire.policy())) attributes.max_deliveries = wire.policy().maxreceivecount() + before;
  attributes.dead_letter = wire.policy().maxreceivequeue();
  return delivery;
}

bool IsLastDelivery(const kubemq::QueueMessage& received) {
  return IsLimited(received.policy()) &&
         received.attributes().receivecount() >= received.policy().maxreceivecount();
}

std::optional<kubemq::QueueMessage> LaterCopy(const kubemq::QueueMessage& received,
                                              std::chrono::milliseconds delay, int64_t now) {
  if (IsLastDelivery(received)) return std::nullopt;
  kubemq::QueueMessage copy = received;
  const int count = std::max(received.attributes().receivecount(), 1);
  kubemq::QueueMessagePolicy& policy = *copy.mutable_policy();
  policy.set_delayseconds(WholeSeconds(delay));
  policy.set_expirationseconds(0);
  if (const int64_t expires = received.attributes().expirationat(); expires > 0) {
    // The server counts an expiry from the end of the delay on.
    const int64_t left = (expires - now) / kNanosOfSecond - policy.delayseconds();
    if (left <= 0) return std::nullopt;
    policy.set_expirationseconds(
        static_cast<int32_t>(std::min<int64_t>(left, kubemq_check::kMostExpirationSeconds)));
  }
  policy.set_maxreceivecount(IsLimited(policy) ? policy.maxreceivecount() - count : 0);
  (*copy.mutable_tags())[std::string(kDeliveredTag)] = std::to_string(DeliveredBefore(received) + count);
  copy.clear_attributes();
  return copy;
}

absl::Status QueueFailure(std::string_view text, std::string_view fault) {
  const auto named = FaultNamed(fault);
  // It is the server that is on its way out, or gave up a call; not we.
  if (named == Fault::kShuttingDown || named == Fault::kCancelled || text == kubemq_text::kNotReady)
    return MakeFault(Fault::kEngineUnavailable, fmt::format("the server is about to close: {}", text));
  if (named) return MakeFault(*named, text);
  // Error 130: the server's own trouble with its storage; the others of 1xx tell of what was asked.
  if (Begins(text, "Error 130")) return MakeFault(Fault::kStorageFailed, text);
  if (Begins(text, "Error 1") || Begins(text, "stan: invalid") || text == kubemq_text::kNoTransaction)
    return MakeFault(Fault::kInvalidRequest, text);
  if (Begins(text, "Error 41")) return MakeFault(Fault::kPermissionDenied, text);
  if (Begins(text, "Error 42")) return MakeFault(Fault::kUnauthenticated, text);
  return MakeFault(Fault::kInternal, fmt::format("the server refused a queue call: {}", text));
}

}  // namespace llm_router
