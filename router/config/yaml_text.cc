#include "router/config/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace llm_router {
namespace {

using Kind = SettingNode::Kind;

bool IsBare(std::string_view text) {
  constexpr std::string_view kNulls[] = {"null", "Null", "NULL"};
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto is_inner = [&](char c) {
    return is_word(c) || std::string_view("./:@+-").find(c) != std::string_view::npos;
  };
  return !text.empty() && is_word(text.front()) && text.back() != ':' &&
         std::ranges::all_of(text, is_inner) && std::ranges::find(kNulls, text) == std::end(kNulls);
}

class Writer {
 public:
  explicit Writer(bool with_origins) : with_origins_(with_origins) {}

  // `at` is the column of the node's own lines; `lead` what stands before its first.
  void Write(const SettingNode& node, size_t at, const std::string& lead) {
    if (node.children.empty()) return WriteLeaf(node, lead);
    if (!lead.empty() && !lead.ends_with("- ")) Line(lead);
    bool is_first = true;
    for (const SettingNode& child : node.children) {
      const bool joins = is_first && lead.ends_with("- ");
      std::string own = joins ? lead : std::string(at, ' ');
      own += node.kind == Kind::kList ? "- " : YamlScalar(child.key) + ":";
      Write(child, at + 2, own);
      is_first = false;
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  void WriteLeaf(const SettingNode& node, const std::string& lead) {
    const std::string_view empty = node.kind == Kind::kMap ? "{}" : node.kind == Kind::kList ? "[]" : "";
    const std::string value = node.kind == Kind::kText ? YamlScalar(node.text) : std::string(empty);
    const bool needs_blank = !lead.empty() && !lead.ends_with(' ') && !value.empty();
    std::string line = lead + (needs_blank ? " " : "") + value;
    if (with_origins_ && !node.origin.empty()) line += fmt::format("  # {}", node.origin);
    Line(line);
  }

  void Line(const std::string& line) {
    text_ += line;
    text_ += '\n';
  }

  const bool with_origins_;
  std::string text_;
};

}  // namespace

std::string YamlScalar(std::string_view text) {
  if (IsBare(text)) return std::string(text);
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ToYaml(const SettingNode& root, bool with_origins) {
  Writer writer(with_origins);
  writer.Write(root, 0, "");
  return writer.Take();
}

}  // namespace llm_router
