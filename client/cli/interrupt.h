// Interrupt: SIGINT and SIGTERM as a call instead of the end of the process, while it lives.
//
// Made on the main thread before any other thread is, for threads inherit which signals they leave alone. The
// first signal calls the function, on a thread of the Interrupt's; a second one ends the process. A signal
// that the process was started to ignore stays ignored.
#pragma once

#include <functional>
#include <memory>

namespace llm_router::cli {

class Interrupt {
 public:
  explicit Interrupt(std::function<void()> on_signal);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The first signal; 0: none came. Any thread.
  int signal() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llm_router::cli
