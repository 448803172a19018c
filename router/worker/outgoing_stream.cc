#include "router/worker/outgoing_stream.h"

#include <algorithm>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// How long a stream that is over waits for the credit of one that resumed it.
constexpr auto kCreditWithin = std::chrono::seconds(1);

absl::Status NobodyReads() { return MakeFault(Fault::kCancelled, "the caller went away or cancelled"); }

}  // namespace

OutgoingStream::OutgoingStream(Executor executor, const StreamSource& source, std::string query,
                               std::string tenant, StreamReader first)
    : executor_(executor),
      source_(source),
      query_(std::move(query)),
      tenant_(std::move(tenant)),
      first_(&readers_.emplace_back(executor, std::move(first), -1, 0)),
      room_(executor),
      audience_(executor) {}

Awaitable<absl::Status> OutgoingStream::Write(std::string frames) {
  written_ += frames.size();
  ring_.push_back({std::move(frames), written_});
  for (Reader& reader : readers_) Pump(reader);
  Trim();
  while (FirstIsBehind()) {
    if (!co_await room_.Wait(TimePoint::max())) co_return NobodyReads();
  }
  co_return co_await Cancelled() ? NobodyReads() : absl::OkStatus();
}

void OutgoingStream::End(absl::StatusOr<Reply> reply) {
  reply_ = std::move(reply);
  for (Reader& reader : readers_) reader.changed.Wake();
  audience_.Wake();
}

void OutgoingStream::OnCredit(const contract::Credit& credit) {
  for (Reader& reader : readers_) {
    if (credit.stream_to.empty() ? &reader != first_ : credit.stream_to != reader.to.channel) continue;
    reader.credited = true;
    // No reader has what it was not sent.
    if (const int64_t seq = std::min(credit.seq, reader.next - 1); seq > reader.taken) {
      reader.taken = seq;
      reader.taken_bytes = EndOf(seq);
    }
    Pump(reader);
    reader.changed.Wake();
  }
  room_.Wake();
}

Awaitable<absl::StatusOr<Reply>> OutgoingStream::Follow(StreamReader to, int64_t after, TimePoint deadline) {
  after = std::clamp<int64_t>(after, -1, chunks() - 1);
  const auto reader = readers_.emplace(readers_.end(), executor_, std::move(to), after, EndOf(after));
  audience_.Wake();
  // So that it hears of us at once, however long the next chunk takes: one that it has, without its frames.
  (void)Publish(*reader, after, {});
  Pump(*reader);
  while (!has_ended() && Now() < deadline && co_await reader->changed.Wait(deadline)) {
  }
  int64_t sent = -1;
  while (has_ended() && reader->next < chunks() && sent < reader->next && !co_await Cancelled()) {
    sent = reader->next;
    (void)co_await reader->changed.Wait(std::min(deadline, Now() + kCreditWithin));
    Pump(*reader);
  }
  readers_.erase(reader);
  audience_.Wake();
  if (has_ended()) co_return *reply_;
  if (co_await Cancelled()) co_return NobodyReads();
  co_return MakeFault(Fault::kTimeout, "the stream did not end before the deadline");
}

Awaitable<bool> OutgoingStream::AwaitAbandoned(Milliseconds linger, TimePoint deadline) {
  readers_.remove_if([this](const Reader& reader) { return &reader == first_; });
  first_ = nullptr;
  room_.Wake();
  TimePoint empty_since = Now();
  while (!has_ended() && Now() < deadline) {
    const bool is_read = !readers_.empty();
    if (is_read) empty_since = TimePoint::max();
    if (!is_read && empty_since == TimePoint::max()) empty_since = Now();
    if (!is_read && Now() >= empty_since + linger) co_return true;
    if (!co_await audience_.Wait(is_read ? deadline : std::min(deadline, empty_since + linger)))
      co_return true;
  }
  co_return !has_ended();
}

// Bytes of the stream up to and with a chunk; of one that is gone, up to where the ring begins.
size_t OutgoingStream::EndOf(int64_t seq) const {
  if (seq < begin_) return seq < 0 ? 0 : offset_;
  return ring_[static_cast<size_t>(seq - begin_)].end;
}

bool OutgoingStream::Fits(const Reader& reader, int64_t seq, size_t bytes) const {
  return seq - reader.taken <= source_.window && bytes <= reader.taken_bytes + source_.window_bytes;
}

// A message broker that is full for the moment gets the rest with the next chunk or credit.
void OutgoingStream::Pump(Reader& reader) {
  reader.next = std::max(reader.next, begin_);
  while (reader.next < chunks()) {
    const Chunk& chunk = ring_[static_cast<size_t>(reader.next - begin_)];
    const bool is_next = reader.next == reader.taken + 1;  // however large it is
    if (!is_next && !Fits(reader, reader.next, chunk.end)) return;
    const absl::Status sent = Publish(reader, reader.next, chunk.frames);
    if (FaultOf(sent) == Fault::kOverloaded) return;
    ++reader.next;
  }
}

absl::Status OutgoingStream::Publish(Reader& reader, int64_t seq, std::string frames) {
  Message event(reader.to.channel, std::move(frames));
  if (event.body.empty()) event.metadata = contract::kResumed;  // an event is never empty
  event.tags[std::string(tag::kQuery)] = query_;
  event.tags[std::string(tag::kSeq)] = std::to_string(seq);
  if (!reader.to.tag.empty()) event.tags[std::string(tag::kStreamTag)] = reader.to.tag;
  if (!std::exchange(reader.knows_worker, true)) event.tags[std::string(tag::kWorker)] = source_.worker;
  return source_.broker.Publish(std::move(event));
}

bool OutgoingStream::FirstIsBehind() const {
  if (first_ == nullptr || !first_->credited) return false;
  return chunks() - 1 > first_->taken && !Fits(*first_, chunks(), written_);
}

void OutgoingStream::Trim() {
  while (bytes() > source_.ring_bytes && ring_.size() > 1) {
    offset_ = ring_.front().end;
    ring_.pop_front();
    ++begin_;
  }
}

}  // namespace llm_router
