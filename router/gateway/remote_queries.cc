#include "router/gateway/remote_queries.h"

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/kubemq/convert.h"
#include "proto/fault.h"

namespace llm_router {

absl::Status WorkerLost() {
  return MakeFault(Fault::kWorkerLost, "the worker that had the query went away: ask again");
}

ChannelType TypeOf(const kubemq::Subscribe& subscribe) {
  return subscribe.subscribetypedata() == kubemq::Subscribe::Commands ? ChannelType::kCommands
                                                                      : ChannelType::kQueries;
}

ServeOptions ServeOptionsFor(const kubemq::Subscribe& subscribe, size_t capacity) {
  const Kind kind = TypeOf(subscribe) == ChannelType::kCommands ? Kind::kCommand : Kind::kQuery;
  return ServeOptions(kind, subscribe.channel(), subscribe.group(), capacity);
}

kubemq::Request Delivered(KubemqServer& server, Query query, std::string reply_channel) {
  const ChannelType type = query.kind == Kind::kCommand ? ChannelType::kCommands : ChannelType::kQueries;
  server.channels().Delivered(type, query.message.channel, query.message.body.size());
  if (query.message.id.empty()) query.message.id = NewId();
  kubemq::Request request = ToWire(std::move(query));
  request.set_replychannel(std::move(reply_channel));
  return request;
}

absl::StatusOr<Reply> AnswerOf(std::optional<absl::StatusOr<Reply>> reply) {
  if (!reply) return MakeFault(Fault::kTimeout, "the worker did not answer before the deadline");
  if (reply->ok()) {
    if (const auto failure = FailureIn(**reply)) return *failure;
  }
  return *std::move(reply);
}

}  // namespace llm_router
