// Streams: the streamed replies of a worker, those under way and, for a minute, those that ended.
//
// One per worker, owned by it; loop thread only. Bounded: of the ended ones at most 1,000, or 64 MB.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "router/worker/outgoing_stream.h"

namespace llm_router {

class Streams {
 public:
  Streams(Executor executor, Broker& broker, std::string worker);

  // A stream for `query`, if it wants one; else null. Shared with resumes that follow it.
  std::shared_ptr<OutgoingStream> Open(const Message& query);
  // It is over: kept for resumes from now on, then forgotten.
  void Ended(const std::string& query);

  void OnCredit(const contract::Credit& credit, std::string_view tenant);
  // A query on the worker's control channel.
  Awaitable<absl::StatusOr<Reply>> Resume(Query query);

  // Forgets those whose time is over; every second or so.
  void Expire(TimePoint now);

 private:
  struct Kept {
    Kept(TimePoint time, std::string id, std::shared_ptr<OutgoingStream> kept)
        : until(time), query(std::move(id)), stream(std::move(kept)) {}
    TimePoint until;
    std::string query;
    std::shared_ptr<OutgoingStream> stream;
  };

  std::shared_ptr<OutgoingStream> Find(const std::string& query, std::string_view tenant) const;
  void ForgetOldest();

  const Executor executor_;
  StreamSource source_;
  absl::flat_hash_map<std::string, std::shared_ptr<OutgoingStream>> streams_;  // by the `query` tag
  std::deque<Kept> ended_;                                                     // oldest first
  size_t ended_bytes_ = 0;
};

}  // namespace llm_router
