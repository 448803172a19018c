// Outbox: what waits to be written to one gRPC stream, one write outstanding.
//
// Any thread adds; the next write is started where the last one ended, on gRPC's thread, so that a burst
// costs the loop nothing. Owned by the stream's reactor, which closes it before gRPC lets the reactor go.
#pragma once

#include <grpcpp/impl/call_op_set.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <mutex>
#include <utility>

namespace llm_router {

template <class Wire>
class Outbox {
 public:
  // The reactor's StartWrite; the message stays where it is until Written.
  using Start = std::function<void(const Wire* message, grpc::WriteOptions options)>;

  explicit Outbox(Start start) : start_(std::move(start)) {}

  // `bytes` is what the message counts for in bytes(). Dropped when the stream is over.
  void Push(Wire message, size_t bytes) {
    std::unique_lock lock(mutex_);
    if (over_) return;
    waiting_.emplace_back(std::move(message), bytes);
    bytes_ += bytes;
    if (!writing_) WriteNext(lock);
  }

  // From OnWriteDone.
  void Written(bool ok) {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) Drop();
    if (!waiting_.empty()) return WriteNext(lock);
    if (!idle_) return;
    lock.unlock();
    idle_();
  }

  // Drops what waits. Calls `idle`, once, when no write is outstanding: at once, or from Written.
  void Close(std::function<void()> idle) {
    {
      const std::lock_guard lock(mutex_);
      Drop();
      idle_ = std::move(idle);
      if (writing_) return;
    }
    idle_();
  }

  // Takes back what need not be written any more; but the last stays, for the write before it may have been
  // told to wait for it.
  template <class Predicate>
  void Withdraw(Predicate unwanted) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    const auto last = std::prev(waiting_.end());
    const auto kept = std::remove_if(waiting_.begin(), last, [&](const Waiting& waiting) {
      if (!unwanted(waiting.first)) return false;
      bytes_ -= waiting.second;
      return true;
    });
    waiting_.erase(kept, last);
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  using Waiting = std::pair<Wire, size_t>;

  void WriteNext(std::unique_lock<std::mutex>& lock) {
    current_ = std::move(waiting_.front().first);
    bytes_ -= waiting_.front().second;
    waiting_.pop_front();
    writing_ = true;
    grpc::WriteOptions options;
    // Only while more is queued: a hint on the last one would hold it back for ever.
    if (!waiting_.empty()) options.set_buffer_hint();
    lock.unlock();
    start_(&current_, options);
  }

  void Drop() {
    over_ = true;
    waiting_.clear();
    bytes_ = 0;
  }

  const Start start_;
  mutable std::mutex mutex_;
  std::deque<Waiting> waiting_;
  size_t bytes_ = 0;
  Wire current_;  // of the write outstanding
  bool writing_ = false;
  bool over_ = false;
  std::function<void()> idle_;
};

}  // namespace llm_router
