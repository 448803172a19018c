// What the streams of remote subscribers to queries have in common, whichever wire they came by. Loop thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "kubemq.pb.h"
#include "router/gateway/kubemq_server.h"

namespace llm_router {

inline constexpr size_t kUnboundCapacity =
    1'024;  // unanswered queries of a subscriber that named no capacity

absl::Status WorkerLost();

ChannelType TypeOf(const kubemq::Subscribe& subscribe);
ServeOptions ServeOptionsFor(const kubemq::Subscribe& subscribe, size_t capacity);

// `query` as it goes to a subscriber, counted as delivered.
kubemq::Request Delivered(KubemqServer& server, Query query, std::string reply_channel);

// What its caller hears; nothing: no answer came before the deadline.
absl::StatusOr<Reply> AnswerOf(std::optional<absl::StatusOr<Reply>> reply);

}  // namespace llm_router
