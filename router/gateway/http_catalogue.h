// HttpCatalogue: the routes that are served, and their models, as each caller may see them: read from the
// roster now and then, not at every request.
//
// Owned by the gateway's state; loop thread. What it gives is valid until the caller's next wait.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "broker_adapters/base/clock.h"
#include "proto/contract.h"
#include "router/gateway/caller.h"
#include "router/roster/roster.h"

namespace llm_router {

class HttpCatalogue {
 public:
  // To be made before the roster starts.
  explicit HttpCatalogue(Roster& roster) : roster_(roster) {
    roster_.OnBeat([this] { heard_ = true; });
  }

  std::span<const contract::RouteModels> Of(const CallerPtr& caller);
  std::span<const contract::RouteModels> All();
  // Whether anything was heard since it was read: reads it then.
  bool ReadAgain();

 private:
  void Read();

  Roster& roster_;
  bool heard_ = false;
  TimePoint read_at_{};
  std::vector<contract::RouteModels> all_;
  std::map<CallerPtr, std::vector<contract::RouteModels>> by_caller_;  // those with routes of their own
};

}  // namespace llm_router
