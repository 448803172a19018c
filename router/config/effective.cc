#include "router/config/effective.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "router/config/settings.h"

namespace llm_router {
namespace {

using Kind = SettingNode::Kind;

constexpr std::string_view kHidden = "***";

// A URL may hold a password, whatever setting it stands in: scheme://user:password@host.
std::string WithoutPassword(std::string text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t begin = scheme + 3;
  const size_t at = text.rfind('@', text.find_first_of("/?#", begin));
  if (at == std::string::npos || at < begin) return text;
  return text.replace(begin, at - begin, kHidden);
}

class Showing {
 public:
  Showing(const Bound& bound, const Environment& environment) : bound_(bound), environment_(environment) {}

  // Null for what nobody wrote and has no default.
  SettingNode Of(const Setting& setting, const SettingNode* node, const std::string& path) const {
    switch (setting.kind) {
      case SettingKind::kGroup:
        return OfGroup(setting, node, path);
      case SettingKind::kMap:
      case SettingKind::kList:
        return OfEntries(setting, node, path);
      default:
        return setting.secret ? OfSecret(node) : OfValue(path);
    }
  }

 private:
  SettingNode OfGroup(const Setting& setting, const SettingNode* node, const std::string& path) const {
    SettingNode shown(Kind::kMap);
    const bool bare = node != nullptr && node->kind == Kind::kText;
    for (const Setting* child : ChildrenOf(setting)) {
      const std::string_view name = NameOf(*child);
      const bool is_bare = bare && name == setting.shorthand;
      const SettingNode* value = is_bare ? node : node == nullptr ? nullptr : node->Find(name);
      Add(shown, Of(*child, value, is_bare ? path : JoinPath(path, name)), name);
    }
    return shown.children.empty() ? SettingNode() : shown;
  }

  SettingNode OfEntries(const Setting& setting, const SettingNode* node, const std::string& path) const {
    if (node == nullptr || node->children.empty()) return SettingNode();
    SettingNode shown(setting.kind == SettingKind::kMap ? Kind::kMap : Kind::kList);
    const Setting& entry = *ChildrenOf(setting).front();
    for (size_t i = 0; i < node->children.size(); ++i) {
      const SettingNode& child = node->children[i];
      const std::string step = setting.kind == SettingKind::kMap ? child.key : fmt::format("[{}]", i);
      Add(shown, Of(entry, &child, JoinPath(path, step)), child.key);
    }
    return shown;
  }

  SettingNode OfSecret(const SettingNode* node) const {
    if (node == nullptr || node->kind != Kind::kText) return SettingNode();
    SettingNode shown(Kind::kText);
    shown.origin = node->origin;
    const auto expanded = Expand(node->text, environment_);
    if (!expanded.ok() || !expanded->text.empty()) {
      shown.text = kHidden;
    } else if (!expanded->unset.empty()) {
      shown.origin += fmt::format(", where {} is not set", expanded->unset);
    }
    return shown;
  }

  SettingNode OfValue(const std::string& path) const {
    const auto value = bound_.shown.find(path);
    if (value == bound_.shown.end()) return SettingNode();
    SettingNode shown(Kind::kText);
    shown.text = WithoutPassword(value->second);
    const auto origin = bound_.origins.find(path);
    shown.origin = origin == bound_.origins.end() ? "default" : origin->second;
    return shown;
  }

  static void Add(SettingNode& parent, SettingNode child, std::string_view key) {
    if (child.kind == Kind::kNull) return;
    child.key = key;
    parent.children.push_back(std::move(child));
  }

  const Bound& bound_;
  const Environment& environment_;
};

bool IsOnlyAVariable(std::string_view text) {
  return text.starts_with("${") && text.ends_with('}') && IsVariableName(text.substr(2, text.size() - 3));
}

// The row below `parent` that a key or an item stands for; null: none.
const Setting* RowOf(const Setting* parent, std::string_view key) {
  if (parent == nullptr) return nullptr;
  const auto children = ChildrenOf(*parent);
  const auto row = std::ranges::find_if(children, [&](const Setting* child) {
    const std::string_view name = NameOf(*child);
    return name == key || name == "*" || name == "[]";
  });
  return row == children.end() ? nullptr : *row;
}

void Hide(const Setting* setting, SettingNode& node) {
  for (SettingNode& child : node.children) Hide(RowOf(setting, child.key), child);
  if (node.kind != Kind::kText) return;
  if (setting != nullptr && setting->kind == SettingKind::kGroup && !setting->shorthand.empty()) {
    setting = RowOf(setting, setting->shorthand);
  }
  const bool is_known = setting != nullptr && ChildrenOf(*setting).empty();
  if (is_known && !setting->secret) {
    node.text = WithoutPassword(std::move(node.text));
  } else if (!IsOnlyAVariable(node.text)) {
    node.text = kHidden;
  }
}

}  // namespace

SettingNode EffectiveSettings(const SettingNode& root, const Bound& bound, const Environment& environment) {
  return Showing(bound, environment).Of(RootSetting(), &root, "");
}

SettingNode WrittenSettings(const SettingNode& root) {
  SettingNode shown = root;
  Hide(&RootSetting(), shown);
  return shown;
}

}  // namespace llm_router
