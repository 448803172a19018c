// EventPublisher: sends events in order over one stream, which it opens when there is something to send and
// anew when it broke. Holds up to 10,000 events or 64 MiB of them, each for 10 s at most. Loop thread only.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "broker_adapters/kubemq/event_writer.h"

namespace llm_router {

class EventPublisher {
 public:
  explicit EventPublisher(Connection& connection) : connection_(connection) {}

  // Overloaded when too much waits already.
  absl::Status Publish(kubemq::Event event);
  // Sends what waits, within a second, and takes no more.
  Awaitable<void> Flush();

 private:
  struct Waiting {
    Waiting(kubemq::Event taken, TimePoint until) : event(std::move(taken)), expires(until) {}
    kubemq::Event event;
    TimePoint expires;
  };

  Awaitable<void> Run();
  Awaitable<void> Drain(EventWriter& writer);
  void Pop();
  void DropExpired();

  Connection& connection_;
  std::deque<Waiting> waiting_;
  size_t bytes_ = 0;
  std::optional<OneShot<bool>> wake_;     // set while Run waits for an event
  std::optional<OneShot<bool>> flushed_;  // set while Flush waits for Run
  bool running_ = false;
  bool flushing_ = false;
};

}  // namespace llm_router
