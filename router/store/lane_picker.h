// LanePicker: which jobs of a route come next: the turns of its single jobs and its batches. Commit thread
// only (store_sql.h); lives for one question.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "router/store/store.h"
#include "router/store/store_sql.h"

namespace llm_router {

class LanePicker {
 public:
  LanePicker(StoreSql& sql, const std::string& route, const FeedLimits& limits, int64_t now);

  // The row of the next job; 0 when there is none.
  int64_t Next();

  int64_t last_lane() const { return last_lane_; }
  int64_t singles_in_a_row() const { return singles_in_a_row_; }

 private:
  struct Lane {
    int64_t number = 0;
    std::deque<int64_t> jobs;
  };

  std::deque<int64_t> JobsOf(int64_t lane, int64_t most);
  // The lanes beside that of the singles, from the one after `last_lane_` round to it.
  void FindLanes();
  void Look(int64_t lane);
  int64_t TakeSingle();
  int64_t TakeOther();

  StoreSql& sql_;
  const std::string& route_;
  const int64_t room_;
  const int64_t now_;
  std::deque<int64_t> singles_;
  std::deque<Lane> others_;  // in turn
  int64_t last_lane_;
  int64_t singles_in_a_row_;
};

}  // namespace llm_router
