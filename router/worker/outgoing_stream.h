// OutgoingStream: one streamed reply on its way to its readers: what was written, and who reads it.
//
// Shared by the run that writes, the resumes that follow, and the registry (streams.h) that keeps it for a
// while after its end. Loop thread only. Its ring keeps the whole stream up to 4 MB, of a longer one the last
// 4 MB. The first reader paces the writer once it gave credit; those that resumed never do. Chunks are
// published as events: a reader that lost some asks again, or takes the whole reply.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "broker_adapters/base/waker.h"
#include "broker_adapters/broker.h"
#include "proto/control.h"
#include "router/pipeline/exchange.h"

namespace llm_router {

// Where chunks go: a channel, and the word by which its owner knows the stream.
struct StreamReader {
  std::string channel;
  std::string tag;
};

// What all streams of a worker have in common. `broker` outlives them.
struct StreamSource {
  StreamSource(Broker& publisher, std::string name) : broker(publisher), worker(std::move(name)) {}

  Broker& broker;
  const std::string worker;  // its control channel takes credit and resumes
  int64_t window = contract::kStreamWindow;
  size_t window_bytes = contract::kStreamWindowBytes;
  size_t ring_bytes = 4 << 20;
};

class OutgoingStream final : public ReplySink {
 public:
  // `source` outlives it.
  OutgoingStream(Executor executor, const StreamSource& source, std::string query, std::string tenant,
                 StreamReader first);

  const std::string& tenant() const { return tenant_; }
  size_t bytes() const { return written_ - offset_; }  // in the ring

  // ---- for the run ----
  Awaitable<absl::Status> Write(std::string frames) override;
  int64_t chunks() const override { return begin_ + static_cast<int64_t>(ring_.size()); }
  // Nothing more is written; `reply` is for those that resume.
  void End(absl::StatusOr<Reply> reply);
  bool has_ended() const { return reply_.has_value(); }

  // ---- for the readers ----
  void OnCredit(const contract::Credit& credit);
  // Gives a reader that resumes the chunks after `after`, then those to come, and returns the reply.
  Awaitable<absl::StatusOr<Reply>> Follow(StreamReader to, int64_t after, TimePoint deadline);
  // The first reader is gone. True when nobody has read the stream for `linger` then or the deadline passed:
  // nobody wants the rest. False: it ended. Called once.
  Awaitable<bool> AwaitAbandoned(Milliseconds linger, TimePoint deadline);

 private:
  struct Chunk {
    std::string frames;
    size_t end;  // bytes of the stream up to here
  };
  struct Reader {
    Reader(Executor executor, StreamReader whose, int64_t after, size_t offset)
        : to(std::move(whose)), next(after + 1), taken(after), taken_bytes(offset), changed(executor) {}

    const StreamReader to;
    int64_t next;        // chunk to be sent
    int64_t taken;       // the last one it has, as far as we know
    size_t taken_bytes;  // of the stream, up to that
    bool credited = false;
    bool knows_worker = false;
    Waker changed;
  };

  size_t EndOf(int64_t seq) const;
  bool Fits(const Reader& reader, int64_t seq, size_t bytes) const;
  void Pump(Reader& reader);
  absl::Status Publish(Reader& reader, int64_t seq, std::string frames);
  bool FirstIsBehind() const;
  void Trim();

  const Executor executor_;
  const StreamSource& source_;
  const std::string query_;
  const std::string tenant_;
  std::deque<Chunk> ring_;
  int64_t begin_ = 0;   // number of ring_.front()
  size_t offset_ = 0;   // bytes of the stream before it
  size_t written_ = 0;  // bytes of the stream
  std::list<Reader> readers_;
  Reader* first_;   // null: gone
  Waker room_;      // for the writer
  Waker audience_;  // for AwaitAbandoned
  std::optional<absl::StatusOr<Reply>> reply_;
};

}  // namespace llm_router
