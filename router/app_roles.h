// Which parts of the server a process runs. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace llm_router {

struct Roles {
  bool gateway = false, worker = false, jobs = false;
};

// Without names: all of them, on an embedded broker.
absl::StatusOr<Roles> ParseRoles(const std::vector<std::string>& names, const std::string& broker);

}  // namespace llm_router
