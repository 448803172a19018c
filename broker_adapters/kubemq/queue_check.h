// What a KubeMQ server refuses of queue calls, in the order and the words of KubeMQ community server v2.4.0
// (check.h has the other calls), and the bounds it refuses beyond.
//
// Each check returns the text to refuse with, or nothing when all is well. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "kubemq.pb.h"

namespace llm_router::kubemq_check {

inline constexpr int32_t kMostMessages = 1'024;  // of one receive
inline constexpr int32_t kMostWaitSeconds = 3'600;
inline constexpr int32_t kMostExpirationSeconds = 43'200;
inline constexpr int32_t kMostDelaySeconds = 43'200;
inline constexpr int32_t kMostReceiveCount = 1'024;
inline constexpr int32_t kMostVisibilitySeconds = 43'200;

std::string_view QueueName(std::string_view queue);
std::string_view QueueMessage(const kubemq::QueueMessage& message);
std::string_view Receive(const kubemq::ReceiveQueueMessagesRequest& request);
std::string_view AckAll(const kubemq::AckAllQueueMessagesRequest& request);
// A Get of QueuesDownstream.
std::string_view Get(const kubemq::QueuesDownstreamRequest& request);
// A ReceiveMessage of StreamQueueMessage, and a ModifyVisibility.
std::string_view StreamReceive(const kubemq::StreamQueueMessagesRequest& request);
std::string_view Visibility(const kubemq::StreamQueueMessagesRequest& request);

}  // namespace llm_router::kubemq_check
