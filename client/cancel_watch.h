// CancelWatch: what a call does when its Canceller is used, for as long as the call lasts.
//
// Made and destroyed by the call's own thread. The function runs at most once, on the thread that cancels
// (at once where that has happened already), and never after the watch is destroyed; it must not use the
// Canceller.
#pragma once

#include <cstdint>
#include <functional>

#include "client/canceller.h"

namespace llm_router::client {

class CancelWatch {
 public:
  CancelWatch(const Canceller& canceller, std::function<void()> on_cancel);
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

 private:
  std::shared_ptr<Canceller::State> state_;
  uint64_t id_ = 0;
};

}  // namespace llm_router::client
