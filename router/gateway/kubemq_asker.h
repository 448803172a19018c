// KubemqAsker: what a KubeMQ server does with a request, whatever wire it came by: bounds, channel
// management, cache, stamps, fail-fast, and the query itself over the broker.
//
// One a door, which owns it; loop thread only. Requests come checked (kubemq_check.h,
// kubemq_access.h).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "router/gateway/door_span.h"
#include "router/gateway/kubemq_server.h"

namespace llm_router {

// A request as it came, copied out of its wire's hands.
struct Question {
  Question(const kubemq::Request& request, CallerPtr asker);

  Query query;
  CallerPtr caller;
  std::string cache_key;
  std::chrono::seconds cache_ttl{0};
  DoorSpan span;  // of a query for a route
};

class KubemqAsker {
 public:
  KubemqAsker(KubemqServer& server, DoorStats& stats) : server_(server), stats_(stats) {}

  // The reply, executed or not; a failed status only where KubeMQ has an RPC error (its text is the
  // message; code unavailable: the server is stopping). A cancelled coroutine tells the workers so and
  // returns fault cancelled, or a reply that says shutting down when the server cut it.
  Awaitable<absl::StatusOr<kubemq::Response>> Ask(Question question);

 private:
  Awaitable<absl::StatusOr<kubemq::Response>> Answer(Question question);
  Awaitable<kubemq::Response> Manage(Question question);
  kubemq::Response CachedReply(const Reply& kept, Question& question);
  void Stamp(Question& question) const;
  absl::Status CheckBody(const Query& query) const;
  Awaitable<absl::Status> CheckServed(const Query& query, CallerPtr caller) const;
  bool Serves(std::string_view route, const std::string& channel) const;
  Awaitable<absl::StatusOr<kubemq::Response>> Route(Question question);
  absl::StatusOr<kubemq::Response> Conclude(const Query& asked, DoorSpan& span, absl::StatusOr<Reply> reply);
  absl::Status Cut() const;
  void PublishCancel(const Query& asked);

  KubemqServer& server_;
  DoorStats& stats_;
  TimePoint born_ = Now();
};

}  // namespace llm_router
