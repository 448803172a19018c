// ReplyStreams: the callers' side of streamed replies, over any message broker.
//
//   auto stream = co_await streams.Ask(std::move(query), linger);
//   while (auto frames = co_await (*stream)->Next()) Show(*frames);
//   auto reply = co_await (*stream)->AwaitReply();
//
// One per client instance or gateway: it has one channel, on which all its streams arrive. A stream puts its
// chunks in order, tells the worker how far its reader is, and when chunks or the connection are lost,
// resumes where it is, for as long as `linger` lets it. Loop thread; `co_await Stop()` before destruction,
// and before the broker stops.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "broker_adapters/base/task_group.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/incoming_stream.h"

namespace llm_router {

// One stream. Destroying it before its end leaves it: it can be resumed for its linger. It outlives no
// ReplyStreams.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;
  // The next piece: one chunk or more. Empty: none came until then. Nothing: there are no more, also when the
  // coroutine was cancelled.
  virtual Awaitable<std::optional<std::string>> Next(TimePoint until = TimePoint::max()) = 0;
  // The ordinary reply, after the last piece.
  virtual Awaitable<absl::StatusOr<Reply>> AwaitReply() = 0;
  // Whether every chunk of it came; known with the reply.
  virtual bool is_whole() const = 0;
  virtual StreamPosition position() const = 0;
  // Nobody wants the rest: the provider call is aborted, whatever the linger.
  virtual void Cancel() = 0;
};

class ReplyStreams {
 public:
  // `broker` outlives it.
  ReplyStreams(Executor executor, Broker& broker) : broker_(broker), tasks_(executor) {}
  ReplyStreams(const ReplyStreams&) = delete;
  ReplyStreams& operator=(const ReplyStreams&) = delete;

  // Asks, with the tags of a stream added. Fails when there is no channel to be had.
  Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> Ask(Query query, Milliseconds linger);
  // Goes on from `position`. `tags` are those of a query: its tenant, where a door speaks for one.
  Awaitable<absl::StatusOr<std::unique_ptr<ReplyStream>>> Resume(StreamPosition position, Tags tags,
                                                                 TimePoint deadline, Milliseconds linger);

  // Ends every stream with cancelled.
  Awaitable<void> Stop();

 private:
  using Shared = std::shared_ptr<IncomingStream>;
  class Handle;

  Awaitable<absl::Status> Open();
  std::string NewName() { return std::to_string(next_++); }
  Shared Add(std::string name, const Tags& tags, StreamPosition from);
  Awaitable<void> Run(Shared stream, std::optional<Query> query, TimePoint deadline, Milliseconds linger);
  Awaitable<absl::StatusOr<Reply>> AskAgain(Shared stream, TimePoint deadline, Milliseconds linger);

  Broker& broker_;
  std::string channel_;  // empty: not yet
  SubscriptionPtr subscription_;
  absl::flat_hash_map<std::string, Shared> streams_;  // by name; shared with their handles and tasks
  uint64_t next_ = 1;
  TaskGroup tasks_;
};

}  // namespace llm_router
