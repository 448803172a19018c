// SettingNode: what a configuration file says, as a tree that knows where each value stands.
//
// A plain value, owned by whoever loads a configuration; pure, any thread. Duplicate keys are all kept, side
// by side, for the reader to refuse. Bounds: a text of 1 MiB, 100,000 nodes with aliases resolved, 64 levels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace llm_router {

struct SettingNode {
  enum class Kind { kNull, kText, kMap, kList };

  SettingNode() = default;
  explicit SettingNode(Kind node_kind) : kind(node_kind) {}

  Kind kind = Kind::kNull;
  std::string key;     // under which its parent, a map, holds it
  std::string text;    // for kText
  std::string origin;  // llm-router.yaml:7, --set, LLM_ROUTER_LOG
  std::vector<SettingNode> children;

  // The first child of that key, or null.
  SettingNode* Find(std::string_view name);
  const SettingNode* Find(std::string_view name) const;
};

inline constexpr size_t kMaxSettingsBytes = 1024 * 1024;

// Reads one YAML document; `source` is its name in origins and errors. Fault invalid_request with line and
// column for what is not YAML.
absl::StatusOr<SettingNode> ParseYaml(std::string_view text, std::string_view source);

}  // namespace llm_router
