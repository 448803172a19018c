// Caller: who is behind one call, once its key was accepted. A value, shared and never changed; any thread.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/config.h"

namespace llm_router {

struct Caller {
  Caller() = default;

  std::string id;        // of the key, for logs and errors; no secret
  std::string key_hash;  // of the key: what it is known by when the keys are replaced
  std::string tenant;
  AccessLevel level = AccessLevel::kCaller;
  std::vector<std::string> routes;  // empty: all

  bool MayUseRoute(std::string_view route) const {
    return routes.empty() || std::find(routes.begin(), routes.end(), route) != routes.end();
  }
};

// Shared: a call outlives the set of keys it was let in by.
using CallerPtr = std::shared_ptr<const Caller>;

}  // namespace llm_router
