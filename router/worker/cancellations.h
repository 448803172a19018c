// Cancellations: cancels that came before the query they mean.
//
// A cancel may overtake its query on the way to a worker, and llm_control reaches every worker, so most
// cancels are for somebody else. Each is remembered until its query's deadline, at most `limit` of them,
// oldest forgotten first. Loop thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "broker_adapters/base/clock.h"

namespace llm_router {

class Cancellations {
 public:
  explicit Cancellations(size_t limit) : limit_(limit) {}

  void Remember(const std::string& query, TimePoint deadline);
  // Whether `query` was cancelled before it came; forgets it.
  bool Take(const std::string& query);
  size_t size() const { return deadlines_.size(); }

 private:
  void Forget(TimePoint now);

  size_t limit_;
  absl::flat_hash_map<std::string, TimePoint> deadlines_;
  std::deque<std::string> arrivals_;
};

}  // namespace llm_router
