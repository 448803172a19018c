#include "router/store/figure_steps.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace llm_router {
namespace {

using contract::BatchState;

constexpr int64_t kMostRoutes = 1'000;
constexpr int kMostLanes = 100;  // of a route: single jobs, patient ones, then the batches, oldest first
constexpr int64_t kMostBatchRows = 10'000;

std::vector<std::string> RoutesThatWait(StoreSql& sql) {
  std::vector<std::string> routes;
  for (Rows rows(sql, "SELECT name FROM routes WHERE unfed>0 OR fed>running ORDER BY name LIMIT ?",
                 kMostRoutes);
       rows.Next();)
    routes.push_back(rows.Text(0));
  return routes;
}

std::optional<int64_t> OldestFed(StoreSql& sql, const std::string& route) {
  Rows rows(sql,
            "SELECT created FROM jobs INDEXED BY jobs_in_queue WHERE state=0 AND fed=1 AND route=? ORDER BY "
            "seq LIMIT 1",
            route);
  return rows.Next() ? std::optional<int64_t>(rows.Int(0)) : std::nullopt;
}

std::optional<int64_t> LaneAfter(StoreSql& sql, const std::string& route, int64_t lane) {
  Rows rows(sql,
            "SELECT lane FROM jobs INDEXED BY jobs_to_feed WHERE state=0 AND fed=0 AND route=? AND lane>? "
            "ORDER BY lane LIMIT 1",
            route, lane);
  return rows.Next() ? std::optional<int64_t>(rows.Int(0)) : std::nullopt;
}

std::optional<int64_t> OldestOfLane(StoreSql& sql, const std::string& route, int64_t lane) {
  Rows rows(sql,
            "SELECT created FROM jobs INDEXED BY jobs_to_feed WHERE state=0 AND fed=0 AND route=? AND lane=? "
            "ORDER BY due, seq LIMIT 1",
            route, lane);
  return rows.Next() ? std::optional<int64_t>(rows.Int(0)) : std::nullopt;
}

std::optional<int64_t> OldestOf(StoreSql& sql, const std::string& route) {
  std::optional<int64_t> oldest = OldestFed(sql, route);
  std::optional<int64_t> lane = -1;
  for (int looked = 0; looked < kMostLanes; ++looked) {
    lane = LaneAfter(sql, route, *lane);
    if (!lane) break;
    const auto created = OldestOfLane(sql, route, *lane);
    if (created) oldest = std::min(oldest.value_or(*created), *created);
  }
  return oldest;
}

void AddBatches(Rows rows, std::vector<OpenBatches>& batches) {
  while (rows.Next()) {
    OpenBatches& row = batches.emplace_back();
    row.tenant = rows.Text(0);
    row.state = static_cast<BatchState>(std::clamp<int64_t>(rows.Int(1), 0, 7));
    row.batches = rows.Int(2);
    row.lines.total = rows.Int(3);
    row.lines.completed = rows.Int(4);
    row.lines.failed = rows.Int(5);
    row.lines.running = rows.Int(6);
  }
}

#define LLM_ROUTER_BATCH_SUMS \
  "SELECT tenant, state, COUNT(*), SUM(total), SUM(completed), SUM(failed), SUM(running) FROM batches "

}  // namespace

StoreFigures ReadFigures(StoreSql& sql) {
  StoreFigures figures;
  for (const std::string& route : RoutesThatWait(sql)) {
    const auto created = OldestOf(sql, route);
    if (!created) continue;
    OldestQueued& oldest = figures.oldest.emplace_back();
    oldest.route = route;
    oldest.created = *created;
  }
  AddBatches(Rows(sql,
                  LLM_ROUTER_BATCH_SUMS
                  "INDEXED BY batches_open WHERE ended=0 AND ending=0 GROUP BY tenant, state LIMIT ?",
                  kMostBatchRows),
             figures.batches);
  AddBatches(Rows(sql,
                  LLM_ROUTER_BATCH_SUMS
                  "INDEXED BY batches_ending WHERE ended=0 AND ending>0 GROUP BY tenant, state LIMIT ?",
                  kMostBatchRows),
             figures.batches);
  return figures;
}

}  // namespace llm_router
