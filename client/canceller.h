// Canceller: ends a call of the client that is under way, from any other thread.
//
// Copies mean the same thing: keep one, give one to the call. Cancel() once is for good; a call that starts
// afterwards ends at once. Not for signal handlers, which may not take locks: let a thread wait for the
// signal. C++17, standard library only.
#pragma once

#include <memory>

namespace llm_router::client {

class Canceller {
 public:
  Canceller();

  void Cancel() const;
  bool cancelled() const;

 private:
  friend class CancelWatch;
  struct State;
  std::shared_ptr<State> state_;  // shared by the copies, and by the calls that watch it
};

}  // namespace llm_router::client
