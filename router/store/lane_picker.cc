#include "router/store/lane_picker.h"

#include <algorithm>
#include <utility>

#include "router/store/batch_table.h"
#include "router/store/job_table.h"

namespace llm_router {
namespace {

constexpr int64_t kSinglesInARow = 3;  // while others wait
constexpr int kMostLanes = 1'000;      // looked at for one page; the next goes on after them

}  // namespace

LanePicker::LanePicker(StoreSql& sql, const std::string& route, const FeedLimits& limits, int64_t now)
    : sql_(sql),
      route_(route),
      room_(limits.room),
      now_(now),
      last_lane_(std::max(limits.last_lane, kSingleLane)),
      singles_in_a_row_(limits.singles_in_a_row) {
  singles_ = JobsOf(kSingleLane, room_);
  FindLanes();
}

// What failed before and is due goes first, for it is older than what is fresh.
std::deque<int64_t> LanePicker::JobsOf(int64_t lane, int64_t most) {
  std::deque<int64_t> jobs;
  for (Rows rows(
           sql_,
           "SELECT seq FROM jobs INDEXED BY jobs_to_feed WHERE state=0 AND fed=0 AND route=? AND lane=? AND "
           "due>0 AND due<=? ORDER BY due, seq LIMIT ?",
           route_, lane, now_, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  for (Rows rows(
           sql_,
           "SELECT seq FROM jobs INDEXED BY jobs_to_feed WHERE state=0 AND fed=0 AND route=? AND lane=? AND "
           "due=0 ORDER BY seq LIMIT ?",
           route_, lane, most - static_cast<int64_t>(jobs.size()));
       rows.Next();)
    jobs.push_back(rows.Int(0));
  return jobs;
}

void LanePicker::FindLanes() {
  const int64_t start = last_lane_;
  int looked = 0;
  bool wrapped = false;
  for (int64_t after = start; looked < kMostLanes && static_cast<int64_t>(others_.size()) < room_; ++looked) {
    int64_t lane = 0;
    {
      Rows rows(
          sql_,
          "SELECT lane FROM jobs INDEXED BY jobs_to_feed WHERE state=0 AND fed=0 AND route=? AND lane>? "
          "ORDER BY lane LIMIT 1",
          route_, after);
      if (rows.Next()) lane = rows.Int(0);
    }
    if (lane == 0 && wrapped) return;
    if (lane == 0) {
      wrapped = true;
      after = kSingleLane;
      continue;
    }
    if (wrapped && lane > start) return;
    Look(lane);
    after = lane;
    // Nothing was taken of those before it: the next page begins behind them.
    if (others_.empty()) last_lane_ = lane;
  }
}

void LanePicker::Look(int64_t lane) {
  int64_t most = room_;
  if (lane != kPatientLane) {
    const BatchGate gate = GateOf(sql_, BatchOfLane(lane));
    if (!gate.is_open || gate.room == 0) return;
    most = std::min(most, gate.room);
  }
  Lane found;
  found.number = lane;
  found.jobs = JobsOf(lane, most);
  if (!found.jobs.empty()) others_.push_back(std::move(found));
}

int64_t LanePicker::TakeSingle() {
  const int64_t job = singles_.front();
  singles_.pop_front();
  ++singles_in_a_row_;
  return job;
}

int64_t LanePicker::TakeOther() {
  Lane lane = std::move(others_.front());
  others_.pop_front();
  const int64_t job = lane.jobs.front();
  lane.jobs.pop_front();
  last_lane_ = lane.number;
  singles_in_a_row_ = 0;
  if (!lane.jobs.empty()) others_.push_back(std::move(lane));
  return job;
}

int64_t LanePicker::Next() {
  if (!singles_.empty() && (others_.empty() || singles_in_a_row_ < kSinglesInARow)) return TakeSingle();
  if (!others_.empty()) return TakeOther();
  return 0;
}

}  // namespace llm_router
