// Inbox: what was read from one gRPC stream and waits for the loop.
//
// gRPC's thread adds and, up to a bound, reads on by itself; the loop is told once a burst and takes all
// there is. Owned by the stream's reactor.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

namespace llm_router {

template <class Wire>
class Inbox {
 public:
  struct Added {
    bool tell;     // the loop, that something is there
    bool read_on;  // start the next read; else whoever takes does
  };
  Added Add(Wire message) {
    const std::lock_guard lock(mutex_);
    bytes_ += message.ByteSizeLong();
    messages_.push_back(std::move(message));
    paused_ = messages_.size() >= kMost || bytes_ >= kMostBytes;
    return {!std::exchange(told_, true), !paused_};
  }

  struct Taken {
    std::deque<Wire> messages;
    bool read_on;  // reading had paused: start a read
  };
  Taken Take() {
    const std::lock_guard lock(mutex_);
    told_ = false;
    bytes_ = 0;
    return {std::exchange(messages_, {}), std::exchange(paused_, false)};
  }

  // Whether no read is outstanding until the next Take.
  bool paused() const {
    const std::lock_guard lock(mutex_);
    return paused_;
  }

 private:
  static constexpr size_t kMost = 256;
  static constexpr size_t kMostBytes = size_t{4} * 1024 * 1024;

  mutable std::mutex mutex_;
  std::deque<Wire> messages_;
  size_t bytes_ = 0;
  bool told_ = false;
  bool paused_ = false;
};

}  // namespace llm_router
