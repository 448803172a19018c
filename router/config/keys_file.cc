#include "router/config/keys_file.h"

#include <iterator>
#include <utility>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/config/file.h"

namespace llm_router {
namespace {

constexpr std::string_view kKeys = "keys";

// The entries in a file of keys.
absl::StatusOr<SettingNode> ReadKeys(const std::filesystem::path& path, const std::string& name) {
  ASSIGN_OR_RETURN(const std::string text, ReadSettingsFile(path));
  ASSIGN_OR_RETURN(SettingNode root, ParseYaml(text, name));
  SettingNode* keys = root.Find(kKeys);
  if (root.kind == SettingNode::Kind::kMap && root.children.size() == 1 && keys != nullptr)
    root = SettingNode(*keys);
  if (root.kind == SettingNode::Kind::kNull) root.kind = SettingNode::Kind::kList;
  if (root.kind == SettingNode::Kind::kList) return root;
  return MakeFault(Fault::kInvalidRequest,
                   name + " is no list of keys: give entries, as - { hash: ..., tenant: ... }");
}

// The list that the entries go to, made when there is none; null when something else stands there.
SettingNode* ListOfKeys(SettingNode& root) {
  SettingNode* list = root.Find(kKeys);
  if (list == nullptr) {
    list = &root.children.emplace_back(SettingNode::Kind::kList);
    list->key = kKeys;
  }
  if (list->kind == SettingNode::Kind::kNull) list->kind = SettingNode::Kind::kList;
  return list->kind == SettingNode::Kind::kList ? list : nullptr;
}

}  // namespace

void AddKeysFile(SettingNode& root, const std::filesystem::path& directory, const Environment& environment,
                 Problems& problems) {
  const SettingNode* setting = root.Find("keys_file");
  if (setting == nullptr || setting->kind != SettingNode::Kind::kText) return;
  const auto name = Expand(setting->text, environment);
  if (!name.ok() || name->text.empty()) return;  // told when it is bound
  auto keys = ReadKeys(directory / name->text, name->text);
  if (!keys.ok()) return problems.Add("keys_file", MessageOf(keys.status()), setting->origin);
  SettingNode* list = ListOfKeys(root);
  if (list == nullptr) return;
  std::move(keys->children.begin(), keys->children.end(), std::back_inserter(list->children));
}

}  // namespace llm_router
