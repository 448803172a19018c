// Asker: the callers' side of queries and commands. Owned by the broker; loop thread only.
//
// Who has had a query for 20 ms says so, and is then looked for every 2 s: when it is gone, its query
// fails with worker_lost. One that went within those 20 ms is not noticed: its query ends at the deadline.
// The server says at once when nobody serves a channel. Then the query is asked again, sooner or later
// according to how many wait like this, at most 10,000; until it has an answer or its deadline has come.
#pragma once

#include "absl/status/statusor.h"
#include "broker_adapters/nats/connection.h"
#include "broker_adapters/nats/mailbox.h"

namespace llm_router::nats {

class Asker {
 public:
  explicit Asker(Connection& connection) : connection_(connection) {}

  Awaitable<absl::StatusOr<Reply>> Request(Query query);

 private:
  Awaitable<absl::StatusOr<WireMessage>> AskOn(const Query& query);
  // The answer that counts; nothing where there is none any more. A lost worker is a status of its own.
  Awaitable<std::optional<WireMessage>> Await(Mailbox& mailbox, TimePoint deadline);
  absl::Status Check(const Query& query) const;
  Milliseconds Pause(int asked) const;
  void Cancel(const std::string& reply);

  Connection& connection_;
  size_t unheard_ = 0;  // queries that found nobody
};

}  // namespace llm_router::nats
