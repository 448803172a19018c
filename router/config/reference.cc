#include "router/config/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "router/config/settings.h"
#include "router/config/yaml_text.h"

namespace llm_router {
namespace {

// ---- the table in README ----

// `|` would end the cell, `<` begin a tag.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c == '<' ? std::string("&lt;") : std::string(1, c);
  }
  return cell;
}

std::string ValuesOf(const Setting& setting) {
  switch (setting.kind) {
    case SettingKind::kInteger:
      return fmt::format("{} to {}", setting.least, setting.most);
    case SettingKind::kChoice:
      return fmt::format("{}", fmt::join(setting.choices, ", "));
    case SettingKind::kMap:
      return fmt::format("a map, at most {}", setting.most);
    case SettingKind::kList:
      return fmt::format("a list, at most {}", setting.most);
    case SettingKind::kText:
      return setting.secret ? "secret" : "text";
    case SettingKind::kGroup:
      break;
  }
  return "";
}

std::string DefaultOf(const Setting& setting) {
  if (setting.required) return "required";
  return setting.fallback.empty() ? std::string() : fmt::format("`{}`", setting.fallback);
}

// ---- the example file ----

class Example {
 public:
  // `comment` says that what encloses it is commented out.
  void Add(const Setting& setting, size_t at, const std::string& lead, bool comment) {
    switch (setting.kind) {
      case SettingKind::kGroup:
        return AddChildren(setting, at, lead, comment);
      case SettingKind::kMap:
        return AddMap(setting, at, lead, comment);
      case SettingKind::kList:
        return AddList(setting, at, lead, comment);
      default:
        return Line(lead + ValueOf(setting), comment);
    }
  }

  // Below `setting`, each with its help above it.
  void AddChildren(const Setting& setting, size_t at, const std::string& lead, bool comment) {
    if (!lead.empty()) Line(lead, comment);
    for (const Setting* child : ChildrenOf(setting)) {
      if (at == 0 && !text_.empty()) text_ += '\n';
      const bool is_chosen = !setting.one_of.empty() && NameOf(*child) == setting.one_of.front();
      const bool out = comment || (IsCommentedOut(*child) && !is_chosen);
      const std::string indent(at, ' ');
      Line(fmt::format("{}# {}", indent, child->help), false);
      Add(*child, at + 2, fmt::format("{}{}:", indent, NameOf(*child)), out);
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  static bool IsCommentedOut(const Setting& setting) {
    if (setting.required || !setting.fallback.empty()) return false;
    if (setting.example.starts_with("${") || !setting.one_of.empty()) return false;
    if (setting.kind == SettingKind::kGroup) {
      return std::ranges::all_of(ChildrenOf(setting),
                                 [](const Setting* child) { return IsCommentedOut(*child); });
    }
    return setting.kind != SettingKind::kMap || ExampleName(setting).empty();
  }

  // Of an entry of the map; empty: it has none. A text's example is its value.
  static std::string_view ExampleName(const Setting& map) {
    const Setting& entry = *ChildrenOf(map).front();
    return entry.kind == SettingKind::kGroup ? entry.example : std::string_view();
  }

  static std::string ValueOf(const Setting& setting) {
    const std::string_view value = setting.fallback.empty() ? setting.example : setting.fallback;
    return value.empty() ? std::string() : " " + YamlScalar(value);
  }

  void AddMap(const Setting& setting, size_t at, const std::string& lead, bool comment) {
    Line(lead, comment);
    const Setting& entry = *ChildrenOf(setting).front();
    const std::string_view example = ExampleName(setting);
    const std::string_view name = example.empty() ? std::string_view("NAME") : example;
    Add(entry, at + 2, fmt::format("{}{}:", std::string(at, ' '), name), comment);
  }

  void AddList(const Setting& setting, size_t at, const std::string& lead, bool comment) {
    Line(lead, comment);
    const Setting& item = *ChildrenOf(setting).front();
    Add(item, at + 2, std::string(at, ' ') + "-", comment);
  }

  void Line(const std::string& line, bool comment) {
    const size_t begin = line.find_first_not_of(' ');
    text_ += comment ? line.substr(0, begin) + "# " + line.substr(begin) : line;
    text_ += '\n';
  }

  std::string text_;
};

}  // namespace

std::string SettingsReference() {
  std::string table = "| setting | default | values | what it is |\n|---|---|---|---|\n";
  for (const Setting& row : AllSettings()) {
    if (row.kind == SettingKind::kGroup) continue;
    table += fmt::format("| `{}` | {} | {} | {} |\n", row.path, Cell(DefaultOf(row)), Cell(ValuesOf(row)),
                         Cell(row.help));
  }
  return table;
}

std::string SettingsExample() {
  Example example;
  example.AddChildren(RootSetting(), 0, "", false);
  return "# Every setting of llm-router, with its default; what is commented out has none.\n"
         "# Printed by `llm-router config example`.\n\n" +
         example.Take();
}

}  // namespace llm_router
