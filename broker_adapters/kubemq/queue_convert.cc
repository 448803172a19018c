#include "broker_adapters/kubemq/queue_convert.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "broker_adapters/kubemq/queue_check.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr int64_t kNanosOfSecond = 1'000'000'000;
constexpr std::string_view kJobsSuffix = "_jobs";

// Hashing a larger body would hold up the loop: it has none, as with the community server.
constexpr size_t kMostHashed = size_t{1024} * 1024;

// Nothing where the library is kept from MD5.
std::string Md5Hex(std::string_view text) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);
  std::array<char, 16> digest{};
  auto* const bytes = reinterpret_cast<unsigned char*>(digest.data());
  if (algorithm == nullptr || EVP_Digest(text.data(), text.size(), bytes, nullptr, algorithm, nullptr) != 1)
    return {};
  return absl::BytesToHexString({digest.data(), digest.size()});
}

// Rounded up.
int32_t WholeSeconds(int64_t nanos) {
  const int64_t seconds = nanos / kNanosOfSecond + (nanos % kNanosOfSecond > 0 ? 1 : 0);
  return static_cast<int32_t>(std::clamp<int64_t>(seconds, 0, kubemq_check::kMostExpirationSeconds));
}

void SetPolicy(const Attributes& attributes, kubemq::QueueMessagePolicy& policy) {
  if (!attributes.rerouted_from.empty()) return;
  if (attributes.expires_at > 0)
    policy.set_expirationseconds(WholeSeconds(attributes.expires_at - attributes.sent_at));
  policy.set_maxreceivecount(attributes.max_deliveries);
  policy.set_maxreceivequeue(ToUtf8(attributes.dead_letter));
}

}  // namespace

Outgoing OutgoingFromWire(const kubemq::QueueMessage& wire) {
  Outgoing outgoing;
  outgoing.message = Message(wire.channel(), wire.body());
  outgoing.message.id = wire.messageid();
  outgoing.message.client_id = wire.clientid();
  outgoing.message.metadata = wire.metadata();
  for (const auto& [key, value] : wire.tags()) outgoing.message.tags.emplace(key, value);
  const kubemq::QueueMessagePolicy& policy = wire.policy();
  outgoing.expiry = std::chrono::seconds(policy.expirationseconds());
  outgoing.delay = std::chrono::seconds(policy.delayseconds());
  outgoing.max_deliveries = policy.maxreceivecount();
  outgoing.dead_letter = policy.maxreceivequeue();
  if (outgoing.max_deliveries == 0 && !std::string_view(wire.channel()).ends_with(kJobsSuffix))
    outgoing.max_deliveries = kubemq_check::kMostReceiveCount;
  return outgoing;
}

kubemq::QueueMessage QueueMessageToWire(const Delivery& delivery) {
  kubemq::QueueMessage wire;
  const Message& message = delivery.message;
  wire.set_messageid(ToUtf8(message.id));
  wire.set_clientid(ToUtf8(message.client_id));
  wire.set_channel(ToUtf8(message.channel));
  wire.set_metadata(ToUtf8(message.metadata));
  wire.set_body(message.body);
  for (const auto& [key, value] : message.tags) (*wire.mutable_tags())[ToUtf8(key)] = ToUtf8(value);
  const Attributes& from = delivery.attributes;
  kubemq::QueueMessageAttributes& attributes = *wire.mutable_attributes();
  attributes.set_timestamp(from.sent_at);
  attributes.set_sequence(from.sequence);
  if (message.body.size() <= kMostHashed) attributes.set_md5ofbody(Md5Hex(message.body));
  attributes.set_receivecount(delivery.deliveries);
  attributes.set_rerouted(!from.rerouted_from.empty());
  attributes.set_reroutedfromqueue(ToUtf8(from.rerouted_from));
  attributes.set_expirationat(from.expires_at);
  SetPolicy(from, *wire.mutable_policy());
  return wire;
}

kubemq::SendQueueMessageResult SendResultToWire(const SendResult& result) {
  kubemq::SendQueueMessageResult wire;
  wire.set_messageid(ToUtf8(result.id));
  if (!result.status.ok()) {
    wire.set_iserror(true);
    wire.set_error(ToUtf8(std::string(MessageOf(result.status))));
    wire.set_reftopic(std::string(RowOf(FaultOf(result.status)).name));
    return wire;
  }
  wire.set_sentat(result.sent_at);
  wire.set_expirationat(result.expires_at);
  wire.set_delayedto(result.delayed_to);
  return wire;
}

}  // namespace llm_router
