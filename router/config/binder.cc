#include "router/config/binder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "router/config/settings.h"

namespace llm_router {
namespace {

using Kind = SettingNode::Kind;

// A stranger's text in an error: bounded, and without what would break the line.
std::string Shown(std::string_view text) {
  constexpr size_t kMost = 64;
  size_t end = std::min(kMost, text.size());
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string shown(text.substr(0, end));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return end < text.size() ? shown + "..." : shown;
}

std::string_view NameOfKind(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kText:
      return "a single value";
    case Kind::kMap:
      return "a map";
    case Kind::kList:
      return "a list";
  }
  return "";
}

// How an error speaks of a value: by its words, unless they came from a variable, or are secret.
std::string Quoted(const Setting& setting, std::string_view raw, const Expanded& expanded) {
  if (!expanded.variable.empty()) return fmt::format("the value of ${{{}}}", expanded.variable);
  return setting.secret ? "the value" : fmt::format("\"{}\"", Shown(raw));
}

std::string Missing(const Setting& setting) {
  return fmt::format("is missing: {}", setting.remedy.empty() ? "give one" : setting.remedy);
}

class Binder {
 public:
  Binder(const Environment& environment, Problems& problems)
      : environment_(environment), problems_(problems) {}

  Bound Take() { return std::move(bound_); }

  // `node` is null for what nobody wrote.
  void Bind(const Setting& setting, const SettingNode* node, const std::string& path) {
    if (node != nullptr) bound_.origins.insert_or_assign(path, node->origin);
    switch (setting.kind) {
      case SettingKind::kGroup:
        return BindGroup(setting, node, path);
      case SettingKind::kMap:
        return BindMap(setting, node, path);
      case SettingKind::kList:
        return BindList(setting, node, path);
      default:
        return BindValue(setting, node, path);
    }
  }

 private:
  void Complain(const std::string& path, std::string_view complaint, const SettingNode* node) {
    problems_.Add(path, complaint, node == nullptr ? std::string_view() : node->origin);
  }

  static bool IsGiven(const SettingNode* node) { return node != nullptr && node->kind != Kind::kNull; }

  // Complains unless `node` is of the kind that `setting` asks for.
  bool IsOfKind(const SettingNode* node, Kind kind, std::string_view form, const std::string& path) {
    if (node->kind == kind) return true;
    Complain(path, fmt::format("is {}: {}", NameOfKind(node->kind), form), node);
    return false;
  }

  bool FirstOfItsName(const SettingNode& child, std::set<std::string_view>& seen, const SettingNode& parent,
                      const std::string& path, std::string_view remedy) {
    if (seen.insert(child.key).second) return true;
    Complain(path,
             fmt::format("is given twice: {} (the first is {})", remedy, parent.Find(child.key)->origin),
             &child);
    return false;
  }

  void BindGroup(const Setting& setting, const SettingNode* node, const std::string& path) {
    const auto children = ChildrenOf(setting);
    if (!IsGiven(node)) node = nullptr;
    const bool bare = node != nullptr && node->kind == Kind::kText && !setting.shorthand.empty();
    if (node != nullptr && !bare) {
      if (!IsOfKind(node, Kind::kMap, "give its settings as { NAME: VALUE }", path)) return;
      CheckNames(setting, children, *node, path);
    }
    for (const Setting* child : children) {
      const std::string_view name = NameOf(*child);
      if (bare && name == setting.shorthand) {
        Bind(*child, node, path);
      } else {
        Bind(*child, node == nullptr ? nullptr : node->Find(name), JoinPath(path, name));
      }
    }
    if (!bare && !setting.one_of.empty()) CheckOneOf(setting, node, path);
  }

  void CheckOneOf(const Setting& setting, const SettingNode* node, const std::string& path) {
    std::vector<std::string_view> given;
    for (const std::string_view name : setting.one_of) {
      if (node != nullptr && IsGiven(node->Find(name))) given.push_back(name);
    }
    const std::string_view first = setting.one_of.front();
    if (given.empty()) {
      const auto children = ChildrenOf(setting);
      Complain(JoinPath(path, first),
               Missing(**std::ranges::find(children, first, [](const Setting* row) { return NameOf(*row); })),
               node);
    } else if (given.size() > 1) {
      Complain(JoinPath(path, given[1]), fmt::format("stands beside {}: remove one of them", given[0]),
               node->Find(given[1]));
    }
  }

  void CheckNames(const Setting& setting, const std::vector<const Setting*>& children,
                  const SettingNode& node, const std::string& path) {
    std::set<std::string_view> seen;
    for (const SettingNode& child : node.children) {
      const std::string child_path = JoinPath(path, Shown(child.key));
      const bool known = std::ranges::find(children, child.key,
                                           [](const Setting* row) { return NameOf(*row); }) != children.end();
      if (!FirstOfItsName(child, seen, node, child_path, "keep one") || known) continue;
      Complain(child_path, UnknownSetting(setting, child.key), &child);
    }
  }

  void BindMap(const Setting& setting, const SettingNode* node, const std::string& path) {
    if (!IsGiven(node)) return;
    const Setting& entry = *ChildrenOf(setting).front();
    const bool is_group = entry.kind == SettingKind::kGroup;
    const std::string_view form =
        is_group ? "give its entries as { NAME: { ... } }" : "give its entries as { NAME: VALUE }";
    if (!IsOfKind(node, Kind::kMap, form, path)) return;
    if (!IsCountFit(setting, *node, path)) return;
    std::set<std::string_view> seen;
    for (const SettingNode& child : node->children) {
      const std::string child_path = JoinPath(path, Shown(child.key));
      if (!FirstOfItsName(child, seen, *node, child_path, "keep one, or give each its own name")) continue;
      if (const absl::Status fit = (is_group ? entry.check : entry.check_name)(child.key); !fit.ok()) {
        Complain(child_path, MessageOf(fit), &child);
        continue;
      }
      if (is_group) Store(entry, child.key);
      Bind(entry, &child, child_path);
    }
  }

  void BindList(const Setting& setting, const SettingNode* node, const std::string& path) {
    if (!IsGiven(node)) {
      if (setting.required) Complain(path, Missing(setting), node);
      return;
    }
    if (!IsOfKind(node, Kind::kList, "give a list, as [ { ... } ]", path)) return;
    if (!IsCountFit(setting, *node, path)) return;
    const Setting& item = *ChildrenOf(setting).front();
    for (size_t i = 0; i < node->children.size(); ++i) {
      if (item.kind == SettingKind::kGroup) Store(item, {});
      Bind(item, &node->children[i], fmt::format("{}[{}]", path, i));
    }
  }

  bool IsCountFit(const Setting& setting, const SettingNode& node, const std::string& path) {
    const auto count = static_cast<int64_t>(node.children.size());
    if (count < setting.least) {
      Complain(path, fmt::format("is empty: {}", setting.remedy), &node);
    } else if (count > setting.most) {
      Complain(path, fmt::format("has {} entries: give at most {}", count, setting.most), &node);
    }
    return count >= setting.least && count <= setting.most;
  }

  void Store(const Setting& setting, std::string_view name) {
    SettingValue value;
    value.text = name;
    setting.store(bound_.config, value);
  }

  void BindValue(const Setting& setting, const SettingNode* node, const std::string& path) {
    if (!IsGiven(node)) return BindAbsent(setting, node, path);
    if (!IsOfKind(node, Kind::kText, "give a single value", path)) return;
    const auto expanded = Expand(node->text, environment_);
    if (!expanded.ok()) return Complain(path, MessageOf(expanded.status()), node);
    SettingValue value;
    value.text = expanded->text;
    value.variable = expanded->variable;
    value.name = node->key;
    const std::string complaint = Check(setting, node->text, *expanded, value);
    if (!complaint.empty()) return Complain(path, complaint, node);
    Keep(setting, value, path);
  }

  void BindAbsent(const Setting& setting, const SettingNode* node, const std::string& path) {
    if (setting.required) return Complain(path, Missing(setting), node);
    if (setting.fallback.empty()) return;
    SettingValue value;
    value.text = setting.fallback;
    value.number = ParseNumber<int64_t>(setting.fallback).value_or(0);
    Keep(setting, value, path);
  }

  void Keep(const Setting& setting, const SettingValue& value, const std::string& path) {
    if (!setting.secret) bound_.shown.insert_or_assign(path, value.text);
    setting.store(bound_.config, value);
  }

  // What is wrong with a value, and its remedy; empty when nothing is. Fills in `value.number`.
  static std::string Check(const Setting& setting, std::string_view raw, const Expanded& expanded,
                           SettingValue& value) {
    if (value.text.empty()) return CheckEmpty(setting, expanded);
    const std::string quoted = Quoted(setting, raw, expanded);
    switch (setting.kind) {
      case SettingKind::kInteger:
        return CheckInteger(setting, quoted, value);
      case SettingKind::kChoice:
        if (std::ranges::find(setting.choices, value.text) != setting.choices.end()) return {};
        return fmt::format("{} is none of its values: use one of {}", quoted,
                           fmt::join(setting.choices, ", "));
      default:
        return CheckText(setting, quoted, value.text);
    }
  }

  static std::string CheckEmpty(const Setting& setting, const Expanded& expanded) {
    if (setting.kind == SettingKind::kText && setting.least == 0) return {};
    if (expanded.unset.empty())
      return fmt::format("is empty: {}", setting.remedy.empty() ? "give one" : setting.remedy);
    return fmt::format("is empty: set {} in the environment or in .env", expanded.unset);
  }

  static std::string CheckInteger(const Setting& setting, const std::string& quoted, SettingValue& value) {
    const auto number = ParseNumber<int64_t>(value.text);
    const std::string remedy = fmt::format("give a whole number from {} to {}", setting.least, setting.most);
    if (!number) return fmt::format("{} is no whole number: {}", quoted, remedy);
    if (*number < setting.least || *number > setting.most) {
      return fmt::format("{} is out of bounds: {}", quoted, remedy);
    }
    value.number = *number;
    value.text = fmt::format("{}", *number);
    return {};
  }

  static std::string CheckText(const Setting& setting, const std::string& quoted, std::string_view text) {
    if (static_cast<int64_t>(text.size()) > setting.most) {
      return fmt::format("is longer than {} bytes: shorten it", setting.most);
    }
    if (setting.check != nullptr) {
      const absl::Status fit = setting.check(text);
      return fit.ok() ? std::string() : std::string(MessageOf(fit));
    }
    const bool control =
        std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    return control ? fmt::format("{} holds a control character: remove it", quoted) : std::string();
  }

  const Environment& environment_;
  Problems& problems_;
  Bound bound_;
};

}  // namespace

Bound Bind(const SettingNode& root, const Environment& environment, Problems& problems) {
  Binder binder(environment, problems);
  binder.Bind(RootSetting(), &root, "");
  return binder.Take();
}

}  // namespace llm_router
