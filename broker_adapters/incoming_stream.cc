#include "broker_adapters/incoming_stream.h"

#include <utility>

#include "broker_adapters/base/text.h"
#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// How long the next chunk may be late once the reply says that it exists.
constexpr auto kLate = std::chrono::seconds(1);
// A short stream is read without any credit; one of which this many wait for the reader needs it.
constexpr int64_t kCreditFrom = 8;
constexpr int64_t kCreditEvery = 32;  // chunks, or
constexpr size_t kCreditEveryBytes = 256 * 1024;
constexpr size_t kMostEarly = 8 << 20;  // bytes; what comes beyond is asked for again

}  // namespace

IncomingStream::IncomingStream(Executor executor, Broker& broker, std::string channel, std::string name,
                               Tags tags, StreamPosition from)
    : broker_(broker),
      channel_(std::move(channel)),
      name_(std::move(name)),
      tags_(std::move(tags)),
      worker_(std::move(from.worker)),
      query_(std::move(from.query)),
      next_(from.seq + 1),
      taken_(from.seq),
      credited_(from.seq),
      arrived_(executor),
      changed_(executor) {}

void IncomingStream::OnChunk(const Message& event) {
  const auto seq = ParseNumber<int64_t>(TagOr(event.tags, tag::kSeq));
  if (!seq || reply_) return;
  heard_ = true;
  if (const auto worker = TagOr(event.tags, tag::kWorker); !worker.empty()) worker_ = worker;
  query_ = TagOr(event.tags, tag::kQuery, query_);
  if (*seq == next_) {
    Append(event.body);
  } else if (*seq > next_ && early_bytes_ + event.body.size() <= kMostEarly) {
    if (early_.emplace(*seq, event.body).second) early_bytes_ += event.body.size();
  }
  if (!gives_credit_ && next_ - 1 - taken_ >= kCreditFrom && can_resume()) {
    gives_credit_ = true;
    TellCredit();
  }
  arrived_.Wake();
  changed_.Wake();
}

void IncomingStream::Append(const std::string& frames) {
  ready_ += frames;
  ++next_;
  while (!early_.empty() && early_.begin()->first <= next_) {
    const auto first = early_.begin();
    early_bytes_ -= first->second.size();
    if (first->first == next_) {
      ready_ += first->second;
      ++next_;
    }
    early_.erase(first);
  }
}

// A chunk that shows a gap is as good as none, one that came before (as when a worker says that it heard of a
// resume) tells nothing of those that are due.
Awaitable<bool> IncomingStream::AwaitChunks(int64_t count) {
  while (next_ < count) {
    const int64_t before = next_;
    const size_t early = early_.size();
    const TimePoint late = Now() + kLate;
    while (next_ == before && early_.size() == early && Now() < late) {
      if (!co_await arrived_.Wait(late)) co_return next_ >= count;
    }
    if (next_ == before) break;
  }
  co_return next_ >= count;
}

void IncomingStream::End(absl::StatusOr<Reply> reply, bool is_whole) {
  reply_ = std::move(reply);
  is_whole_ = is_whole;
  changed_.Wake();
}

Awaitable<std::optional<std::string>> IncomingStream::Take(TimePoint until) {
  while (ready_.empty() && !reply_) {
    if (!co_await changed_.Wait(until)) co_return std::nullopt;
    if (ready_.empty() && !reply_ && Now() >= until) co_return std::string();
  }
  if (ready_.empty()) co_return std::nullopt;
  std::string frames = std::exchange(ready_, {});
  taken_ = next_ - 1;
  taken_bytes_ += frames.size();
  const bool due = taken_ - credited_ >= kCreditEvery || taken_bytes_ - credited_bytes_ >= kCreditEveryBytes;
  if (gives_credit_ && due && !reply_) TellCredit();
  co_return frames;
}

Awaitable<absl::StatusOr<Reply>> IncomingStream::AwaitReply() {
  while (!reply_) {
    if (!co_await changed_.Wait(TimePoint::max()))
      co_return MakeFault(Fault::kCancelled, "the caller went away or cancelled");
  }
  co_return *reply_;
}

Query IncomingStream::ResumeQuery(TimePoint deadline) const {
  contract::Resume resume;
  resume.query = query_;
  resume.after = next_ - 1;
  resume.stream_to = channel_;
  resume.stream_tag = name_;
  return Query(Kind::kQuery, ToWorker(ToJson(resume)), deadline);
}

void IncomingStream::TellCancel(TimePoint deadline) {
  if (query_.empty()) return;
  (void)broker_.Publish(ToWorker(ToJson(contract::Cancel(query_, ToUnixMillis(deadline)))));
}

// Lost at worst: the next one says it again.
void IncomingStream::TellCredit() {
  credited_ = taken_;
  credited_bytes_ = taken_bytes_;
  (void)broker_.Publish(ToWorker(ToJson(contract::Credit(query_, taken_, channel_))));
}

Message IncomingStream::ToWorker(std::string body) const {
  const std::string channel =
      worker_.empty() ? std::string(contract::kControlChannel) : contract::WorkerControlChannel(worker_);
  Message message(channel, std::move(body));
  message.tags = tags_;
  return message;
}

}  // namespace llm_router
