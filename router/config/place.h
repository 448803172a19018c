// SettingPlace: one place in a configuration: a row of the table, with the names and numbers in its path.
//
// Plain values; pure, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/settings.h"

namespace llm_router {

struct SettingPlace {
  const Setting* setting = nullptr;
  std::vector<std::string> steps;  // an item of a list is "[2]"
};

// The place that `path` names: `routes.openai.targets[0].model`. Names of entries may contain dots.
std::optional<SettingPlace> FindPlace(std::string_view path);

std::string JoinSteps(std::span<const std::string> steps);

}  // namespace llm_router
