// What StoredTopics knows of a channel, of a place in it, and of who reads from there. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker_adapters/embedded/stored_file.h"
#include "broker_adapters/stored_events.h"

namespace llm_router {

class StoredTopics;
struct StoredReader;

using StoredEventPtr = std::shared_ptr<const StoredEvent>;

// What an event takes of memory.
inline size_t BytesOf(const StoredEvent& event) {
  return event.message.body.size() + event.message.metadata.size() + 512;
}

// One live subscription. Shared by its StoredSubscription and by a delivery under way, in which that may be
// destroyed.
struct StoredMember {
  StoredMember(const StoredSubscribe& options, StoredHandler handle, Executor executor)
      : capacity(std::max<size_t>(options.capacity, 1)),
        capacity_bytes(options.capacity_bytes),
        handler(std::move(handle)),
        acknowledged(executor, TimePoint::max()) {}

  bool HasRoom() const {
    return active && !draining && given.size() < capacity && (given.empty() || given_bytes < capacity_bytes);
  }

  const size_t capacity;
  const size_t capacity_bytes;
  const StoredHandler handler;
  StoredTopics* topics = nullptr;            // null once it left
  std::shared_ptr<StoredReader> reader;      // shared: a delivery may outlast the member
  std::map<uint64_t, StoredEventPtr> given;  // not yet acknowledged
  size_t given_bytes = 0;
  bool active = false;  // its subscription is in its owner's hands
  bool draining = false;
  Timer acknowledged;  // cancelled when nothing is left in `given`
};

// A place, and what is done from there for its live subscriptions. Shared by its channel, its members and the
// works on disk.
struct StoredReader {
  explicit StoredReader(StoredOwner owner) { place.owner = std::move(owner); }

  StoredPlace place;  // as it is on disk, once `ready`
  std::string channel;
  bool ready = false;
  std::vector<std::shared_ptr<StoredMember>> members;

  std::deque<StoredEventPtr> window;  // next in line
  size_t window_bytes = 0;
  uint64_t loaded_to = 0;                    // what is up to here was in the window, or is not there
  std::map<uint64_t, StoredEventPtr> again;  // that who left did not acknowledge
  std::set<uint64_t> open;                   // taken from the window and not acknowledged
  bool reading = false;
  bool delivering = false;
  bool saving = false;

  // Up to where everything is taken from the window.
  uint64_t TakenTo() const { return window.empty() ? loaded_to : window.front()->sequence - 1; }
  // Up to where everything is acknowledged.
  uint64_t Position() const { return open.empty() ? TakenTo() : std::min(TakenTo(), *open.begin() - 1); }

  void Load(StoredEventPtr event) {
    window_bytes += BytesOf(*event);
    window.push_back(std::move(event));
  }

  // Nobody reads: back to what is acknowledged.
  void Reset() {
    loaded_to = Position();
    ClearWindow();
    again.clear();
    open.clear();
  }
  void ClearWindow() {
    window.clear();
    window_bytes = 0;
  }
};

struct StoredChannel {
  StoredTotals totals;
  int64_t used_at = 0;  // Unix ns: when it was last published or subscribed to
  std::map<StoredOwner, std::shared_ptr<StoredReader>> readers;
  std::set<StoredReader*> live;  // those of `readers` with members
  bool deleting = false;
};

}  // namespace llm_router
