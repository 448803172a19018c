#include "router/providers/providers.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/fault.h"

namespace llm_router {

absl::StatusOr<Providers> Providers::Resolve(const Config& config) {
  Providers providers;
  for (const ProviderConfig& configured : config.providers) {
    const ProviderRow* row = FindProviderRow(configured.type);
    if (row == nullptr) {
      return MakeFault(Fault::kInvalidRequest,
                       fmt::format("providers.{}.type: is no provider type", configured.id));
    }
    providers.providers_.emplace_back(*row, *FindDialect(row->dialect), configured);
  }
  return providers;
}

const Provider* Providers::Find(std::string_view id) const {
  const auto found = std::ranges::find(providers_, id, &Provider::id);
  return found == providers_.end() ? nullptr : &*found;
}

std::vector<std::string> Providers::SimulateMissing(std::string_view root) {
  std::vector<std::string> ids;
  for (Provider& provider : providers_) {
    if (provider.CheckKey().ok()) continue;
    provider.Simulate(root);
    ids.push_back(provider.id());
  }
  return ids;
}

}  // namespace llm_router
