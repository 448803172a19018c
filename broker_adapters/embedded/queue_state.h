// QueueState: one queue as the loop knows it: the messages next in line, and who waits for them. Loop thread.
//
//   on disk   ......[..window..]......      in order of id; `more_on_disk` while the window does not reach
//   the end leased    taken from the window, back to their place there when released
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "broker_adapters/base/awaitable.h"
#include "broker_adapters/embedded/queue_record.h"

namespace llm_router {

// A message in memory. The kept part is shared with who is writing it.
struct QueueItem {
  QueueItem() = default;
  QueueItem(Place item_place, std::shared_ptr<const KeptMessage> item_kept, size_t item_bytes)
      : place(item_place), kept(std::move(item_kept)), bytes(item_bytes) {}

  bool HasExpired(int64_t now) const { return place.expires > 0 && place.expires <= now; }

  Place place;
  std::shared_ptr<const KeptMessage> kept;
  size_t bytes = 0;
};

struct QueueState {
  QueueState(Executor executor, std::string queue_name)
      : name(std::move(queue_name)), loaded(executor, TimePoint::max()) {}

  // Puts `item` where its id belongs.
  void Insert(QueueItem item) {
    window_bytes += item.bytes;
    window.insert(Find(item.place.id), std::move(item));
  }
  // Whether it was there.
  bool Remove(int64_t id) {
    const auto at = Find(id);
    if (at == window.end() || at->place.id != id) return false;
    window_bytes -= at->bytes;
    window.erase(at);
    return true;
  }
  QueueItem PopFront() {
    QueueItem item = std::move(window.front());
    window.pop_front();
    window_bytes -= item.bytes;
    return item;
  }

  // Of a coroutine that refers to it: it is not forgotten meanwhile.
  class InUse {
   public:
    explicit InUse(QueueState& queue) : queue_(queue) { ++queue_.users; }
    ~InUse() { --queue_.users; }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    QueueState& queue_;
  };
  bool IsUnused() const { return users == 0 && waiting + leased + delayed + dead + last_sequence == 0; }

  // The first that is not before `id`.
  std::deque<QueueItem>::iterator Find(int64_t id) {
    if (window.empty() || window.back().place.id < id) return window.end();
    return std::lower_bound(window.begin(), window.end(), id,
                            [](const QueueItem& item, int64_t wanted) { return item.place.id < wanted; });
  }

  const std::string name;
  std::deque<QueueItem> window;
  size_t window_bytes = 0;
  int64_t loaded_to = 0;  // the highest id that ever was in the window
  bool more_on_disk = false;
  bool loading = false;          // or being purged: the window is not to be filled
  Timer loaded;                  // cancelled when that ended
  size_t users = 0;              // who refers to it
  std::deque<Timer*> receivers;  // who waits for a message, first come first served
  uint64_t waiting = 0;
  uint64_t leased = 0;
  uint64_t delayed = 0;
  uint64_t dead = 0;
  uint64_t bytes = 0;  // of what waits, is leased or delayed
  uint64_t last_sequence = 0;
};

}  // namespace llm_router
