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
    auto at = window.begin();
    while (at != window.end() && at->place.id < item.place.id) ++at;
    window_bytes += item.bytes;
    window.insert(at, std::move(item));
  }
  void Remove(int64_t id) {
    const auto at = std::find_if(window.begin(), window.end(),
                                 [id](const QueueItem& item) { return item.place.id == id; });
    if (at == window.end()) return;
    window_bytes -= at->bytes;
    window.erase(at);
  }
  QueueItem PopFront() {
    QueueItem item = std::move(window.front());
    window.pop_front();
    window_bytes -= item.bytes;
    return item;
  }

  const std::string name;
  std::deque<QueueItem> window;
  size_t window_bytes = 0;
  int64_t loaded_to = 0;  // the highest id that ever was in the window
  bool more_on_disk = false;
  bool loading = false;
  Timer loaded;                  // cancelled when a load ended
  std::deque<Timer*> receivers;  // who waits for a message, first come first served
  uint64_t waiting = 0;
  uint64_t leased = 0;
  uint64_t delayed = 0;
  uint64_t dead = 0;
  uint64_t bytes = 0;  // of what waits, is leased or delayed
  uint64_t last_sequence = 0;
};

}  // namespace llm_router
