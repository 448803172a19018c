// KubemqAsker: what a KubeMQ server does with a request, whatever transport it came by: channel management,
// cache, stamps, fail-fast, and the query itself over the broker.
//
// Owned by the door; loop thread only. Requests come checked (kubemq_check.h).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "kubemq.pb.h"
#include "router/gateway/channel_registry.h"
#include "router/gateway/door_stats.h"
#include "router/gateway/query_cache.h"
#include "router/gateway/roster.h"

namespace llm_router {

// A request as it came, copied out of gRPC's hands.
struct Question {
  explicit Question(const kubemq::Request& request);

  Query query;
  std::string cache_key;
  std::chrono::seconds cache_ttl{0};
};

class KubemqAsker {
 public:
  KubemqAsker(Broker& broker, const Roster& roster, ChannelRegistry& channels, DoorStats& stats,
              size_t max_body);

  // The reply, executed or not; a failed status only where KubeMQ has an RPC error (its text is the
  // message). A cancelled coroutine tells the workers so and returns fault cancelled.
  Awaitable<absl::StatusOr<kubemq::Response>> Ask(Question question);

 private:
  kubemq::Response Manage(const Query& query);
  kubemq::Response CachedReply(const Reply& kept, const Query& query);
  void Stamp(Query& query) const;
  absl::Status CheckBody(const Query& query) const;
  Awaitable<absl::Status> CheckServed(const Query& query) const;
  bool Serves(std::string_view route, const std::string& channel) const;
  Awaitable<absl::StatusOr<kubemq::Response>> Route(Question question);
  absl::StatusOr<kubemq::Response> Conclude(const Query& asked, absl::StatusOr<Reply> reply);
  void PublishCancel(const Query& asked);

  Broker& broker_;
  const Roster& roster_;
  ChannelRegistry& channels_;
  DoorStats& stats_;
  size_t max_body_;
  QueryCache cache_;
  TimePoint born_ = Now();
};

}  // namespace llm_router
