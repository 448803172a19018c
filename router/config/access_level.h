// AccessLevel: what a key may do; router/gateway/access_rules.h has the rules. Pure; any thread.
#pragma once

#include <array>
#include <string_view>

namespace llm_router {

enum class AccessLevel {
  kCaller,
  kWorker,
  kAdmin,
  kAll,  // everything: of everyone, where no keys are configured; of no key
};

// What a key's entry may say, in the enum's order.
inline constexpr std::array<std::string_view, 3> kAccessLevelNames = {"caller", "worker", "admin"};

constexpr std::string_view NameOf(AccessLevel level) {
  return level == AccessLevel::kAll ? "all" : kAccessLevelNames[static_cast<size_t>(level)];
}

// kCaller for a name that is none.
constexpr AccessLevel AccessLevelNamed(std::string_view name) {
  for (size_t i = 0; i < kAccessLevelNames.size(); ++i) {
    if (kAccessLevelNames[i] == name) return static_cast<AccessLevel>(i);
  }
  return AccessLevel::kCaller;
}

}  // namespace llm_router
