#include "broker_adapters/kubemq/queue_check.h"

#include "broker_adapters/kubemq/check.h"
#include "proto/kubemq_queue_text.h"
#include "proto/kubemq_text.h"

namespace llm_router::kubemq_check {
namespace {

bool IsWithin(int32_t value, int32_t most) { return value >= 0 && value <= most; }

// What all calls about one queue have in common.
std::string_view CallerAndQueue(std::string_view client_id, std::string_view queue) {
  if (client_id.empty()) return kubemq_text::kNoClientId;
  return QueueName(queue);
}

std::string_view Policy(const kubemq::QueueMessagePolicy& policy) {
  if (!IsWithin(policy.expirationseconds(), kMostExpirationSeconds)) return kubemq_text::kExpiration;
  if (!IsWithin(policy.maxreceivecount(), kMostReceiveCount)) return kubemq_text::kMaxReceiveCount;
  if (!IsWithin(policy.delayseconds(), kMostDelaySeconds)) return kubemq_text::kDelay;
  if (policy.maxreceivequeue().empty()) return {};
  return QueueName(policy.maxreceivequeue());
}

}  // namespace

std::string_view QueueName(std::string_view queue) {
  return Channel(queue).empty() ? std::string_view() : kubemq_text::kQueueName;
}

std::string_view QueueMessage(const kubemq::QueueMessage& message) {
  if (const auto text = CallerAndQueue(message.clientid(), message.channel()); !text.empty()) return text;
  if (message.metadata().empty() && message.body().empty()) return kubemq_text::kEmptyMessage;
  return Policy(message.policy());
}

std::string_view Receive(const kubemq::ReceiveQueueMessagesRequest& request) {
  if (const auto text = CallerAndQueue(request.clientid(), request.channel()); !text.empty()) return text;
  if (request.maxnumberofmessages() < 1 || request.maxnumberofmessages() > kMostMessages)
    return kubemq_text::kMaxMessages;
  return IsWithin(request.waittimeseconds(), kMostWaitSeconds) ? "" : kubemq_text::kWaitTimeout;
}

std::string_view AckAll(const kubemq::AckAllQueueMessagesRequest& request) {
  if (const auto text = CallerAndQueue(request.clientid(), request.channel()); !text.empty()) return text;
  return IsWithin(request.waittimeseconds(), kMostWaitSeconds) ? "" : kubemq_text::kWaitTimeout;
}

std::string_view Get(const kubemq::QueuesDownstreamRequest& request) {
  return CallerAndQueue(request.clientid(), request.channel());
}

std::string_view StreamReceive(const kubemq::StreamQueueMessagesRequest& request) {
  if (const auto text = CallerAndQueue(request.clientid(), request.channel()); !text.empty()) return text;
  if (const auto text = Visibility(request); !text.empty()) return text;
  return IsWithin(request.waittimeseconds(), kMostWaitSeconds) ? "" : kubemq_text::kWaitTimeout;
}

std::string_view Visibility(const kubemq::StreamQueueMessagesRequest& request) {
  return IsWithin(request.visibilityseconds(), kMostVisibilitySeconds) ? "" : kubemq_text::kVisibility;
}

}  // namespace llm_router::kubemq_check
