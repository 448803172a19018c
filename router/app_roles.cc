#include "router/app_roles.h"

#include <fmt/format.h>

#include "broker_adapters/registry.h"
#include "proto/fault.h"

namespace llm_router {

absl::StatusOr<Roles> ParseRoles(const std::vector<std::string>& names, const std::string& broker) {
  if (names.empty() && IsEmbedded(broker)) return Roles{true, true, true};
  if (names.empty()) {
    return MakeFault(Fault::kInvalidRequest,
                     "on a broker that is not embedded, name the roles: --roles worker, for example");
  }
  Roles roles;
  for (const std::string& name : names) {
    bool* role = name == "gateway"  ? &roles.gateway
                 : name == "worker" ? &roles.worker
                 : name == "jobs"   ? &roles.jobs
                                    : nullptr;
    if (role == nullptr) {
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("--roles: \"{}\" is no role: there are gateway, worker and jobs", name));
    }
    *role = true;
  }
  return roles;
}

}  // namespace llm_router
