#include "router/worker/cancellations.h"

namespace llm_router {

void Cancellations::Remember(const std::string& query, TimePoint deadline) {
  Forget(Now());
  if (deadlines_.insert_or_assign(query, deadline).second) arrivals_.push_back(query);
}

bool Cancellations::Take(const std::string& query) { return deadlines_.erase(query) > 0; }

// Goes by arrival, not by deadline: a late deadline may shield a few that are over, never more than `limit_`.
void Cancellations::Forget(TimePoint now) {
  while (!arrivals_.empty()) {
    const auto oldest = deadlines_.find(arrivals_.front());
    const bool over = oldest == deadlines_.end() || oldest->second <= now;
    if (!over && arrivals_.size() < limit_) return;
    if (oldest != deadlines_.end()) deadlines_.erase(oldest);
    arrivals_.pop_front();
  }
}

}  // namespace llm_router
