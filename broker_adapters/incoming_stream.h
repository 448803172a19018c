// IncomingStream: the chunks of one streamed reply, put in order, and what its reader has taken of them.
//
// Inside of ReplyStreams (reply_streams.h), which shares it between the handle given out and the task that
// asks. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"

namespace llm_router {

// Where a stream was left: from there anybody of the same tenant can resume it.
struct StreamPosition {
  std::string worker;  // empty: no chunk has come yet, so it can't be resumed
  std::string query;
  int64_t seq = -1;  // the last chunk that was taken
};

class IncomingStream {
 public:
  // `tags` go with what it tells the worker. `broker` outlives it.
  IncomingStream(Executor executor, Broker& broker, std::string channel, std::string name, Tags tags,
                 StreamPosition from);

  const std::string& name() const { return name_; }  // its tag on chunks

  // ---- arrival ----
  void OnChunk(const Message& event);
  // Whether anything came since the last call of this.
  bool TakeHeard() { return std::exchange(heard_, false); }
  int64_t next() const { return next_; }  // the chunk that is waited for
  // Waits until all `count` chunks are there, as long as they keep coming.
  Awaitable<bool> AwaitChunks(int64_t count);
  void End(absl::StatusOr<Reply> reply, bool is_whole);

  // ---- reader ----
  // What is there, at once if anything; empty when nothing came until then; nothing at the end, or when
  // cancelled.
  Awaitable<std::optional<std::string>> Take(TimePoint until = TimePoint::max());
  Awaitable<absl::StatusOr<Reply>> AwaitReply();
  bool has_ended() const { return reply_.has_value(); }
  bool is_whole() const { return is_whole_; }
  StreamPosition position() const { return {worker_, query_, taken_}; }

  // ---- towards the worker ----
  bool can_resume() const { return !worker_.empty() && !query_.empty(); }
  Query ResumeQuery(TimePoint deadline) const;
  void TellCancel(TimePoint deadline);

 private:
  void Append(const std::string& frames);
  void TellCredit();
  Message ToWorker(std::string body) const;

  Broker& broker_;
  const std::string channel_;
  const std::string name_;
  Tags tags_;
  std::string worker_;
  std::string query_;
  int64_t next_;
  int64_t taken_;
  int64_t credited_;
  size_t credited_bytes_ = 0;
  size_t taken_bytes_ = 0;
  bool gives_credit_ = false;
  bool heard_ = false;
  std::string ready_;
  std::map<int64_t, std::string> early_;  // came before their turn
  size_t early_bytes_ = 0;
  Waker arrived_;  // for AwaitChunks
  Waker changed_;  // for the reader
  std::optional<absl::StatusOr<Reply>> reply_;
  bool is_whole_ = false;
};

}  // namespace llm_router
