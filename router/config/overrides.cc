#include "router/config/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "router/config/nearest.h"
#include "router/config/place.h"
#include "router/config/settings.h"

namespace llm_router {
namespace {

using Kind = SettingNode::Kind;

constexpr std::string_view kPrefix = "LLM_ROUTER_";
// Names of ours that are no settings.
constexpr std::string_view kReserved[] = {"LLM_ROUTER_ADDRESS", "LLM_ROUTER_CONFIG", "LLM_ROUTER_KEY"};

bool IsScalar(const Setting& setting) {
  return setting.kind == SettingKind::kText || setting.kind == SettingKind::kInteger ||
         setting.kind == SettingKind::kChoice;
}

// Turns `node` into an empty `kind` unless it is one; a wrong value is left for the binder to refuse.
bool Become(SettingNode& node, Kind kind, bool may_replace_text) {
  if (node.kind == Kind::kNull || (node.kind == Kind::kText && may_replace_text)) {
    node.kind = kind;
    node.text.clear();
  }
  return node.kind == kind;
}

// The child of `node` that `step` names, made when there is none; null when it can't be.
SettingNode* Descend(SettingNode& node, const std::string& step, const std::string& origin) {
  if (step.starts_with('[')) {
    const auto index = ParseNumber<size_t>(std::string_view(step).substr(1, step.size() - 2));
    if (!Become(node, Kind::kList, false) || !index || *index > node.children.size()) return nullptr;
    if (*index == node.children.size()) node.children.emplace_back().origin = origin;
    return &node.children[*index];
  }
  if (!Become(node, Kind::kMap, true)) return nullptr;
  if (SettingNode* found = node.Find(step)) return found;
  SettingNode& made = node.children.emplace_back();
  made.key = step;
  made.origin = origin;
  return &made;
}

absl::StatusOr<SettingNode> ReadValue(const Setting& setting, const std::string& text,
                                      const std::string& origin) {
  SettingNode node(Kind::kText);
  if (!IsScalar(setting)) {
    ASSIGN_OR_RETURN(node, ParseYaml(text, origin));
  }
  if (node.kind == Kind::kText) node.text = text;
  node.origin = origin;
  return node;
}

void SetPlace(SettingNode& root, const SettingPlace& place, const std::string& text,
              const std::string& origin, Problems& problems) {
  const std::string path = JoinSteps(place.steps);
  auto value = ReadValue(*place.setting, text, origin);
  if (!value.ok()) return problems.Add(path, MessageOf(value.status()));
  SettingNode* node = &root;
  for (const std::string& step : place.steps) {
    node = Descend(*node, step, origin);
    if (node == nullptr) {
      return problems.Add(path, "has no such place to be set: name an item that is there, or the next one",
                          origin);
    }
  }
  value->key = node->key;
  *node = *std::move(value);
}

// ---- the environment ----

std::string VariableOf(const SettingPlace& place) {
  std::string name(kPrefix.substr(0, kPrefix.size() - 1));
  for (const std::string& step : place.steps) {
    name += '_';
    for (const char c : step) {
      if (c == '[' || c == ']') continue;
      const bool kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : (kept ? c : '_');
    }
  }
  return name;
}

// Every place that a variable can mean: all settings, below the entries and items that are there.
class Variables {
 public:
  explicit Variables(const SettingNode& root) { AddBelow(RootSetting(), &root, {}); }

  std::span<const SettingPlace> Find(std::string_view name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) return {};
    return found->second;
  }

  std::optional<std::string_view> NearestTo(std::string_view name) const {
    std::vector<std::string_view> known;
    for (const auto& [variable, places] : places_) known.push_back(variable);
    return Nearest(name, known);
  }

 private:
  void Add(const Setting& setting, const SettingNode* node, const std::vector<std::string>& steps) {
    SettingPlace place{&setting, steps};
    std::string name = VariableOf(place);
    places_[std::move(name)].push_back(std::move(place));
    AddBelow(setting, node, steps);
  }

  void AddBelow(const Setting& setting, const SettingNode* node, const std::vector<std::string>& steps) {
    for (const Setting* child : ChildrenOf(setting)) {
      const std::string_view name = NameOf(*child);
      if (name == "*" || name == "[]") {
        AddEntries(*child, node, steps);
      } else {
        Add(*child, node == nullptr ? nullptr : node->Find(name), Extended(steps, std::string(name)));
      }
    }
  }

  void AddEntries(const Setting& entry, const SettingNode* node, const std::vector<std::string>& steps) {
    if (node == nullptr) return;
    for (size_t i = 0; i < node->children.size(); ++i) {
      const SettingNode& child = node->children[i];
      Add(entry, &child, Extended(steps, node->kind == Kind::kList ? fmt::format("[{}]", i) : child.key));
    }
  }

  static std::vector<std::string> Extended(std::vector<std::string> steps, std::string step) {
    steps.push_back(std::move(step));
    return steps;
  }

  std::map<std::string, std::vector<SettingPlace>, std::less<>> places_;
};

// Kubernetes gives every pod variables named after the services beside it; one called llm-router is likely.
bool IsServiceLink(std::string_view name, std::string_view value) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos ||
         value.starts_with("tcp://") || value.starts_with("udp://") ||
         name.find("_TCP_") != std::string_view::npos || name.find("_UDP_") != std::string_view::npos;
}

std::string Unknown(std::string_view name, const Variables& variables) {
  const auto nearest = variables.NearestTo(name);
  if (nearest) return fmt::format("names no setting: did you mean {}?", *nearest);
  return "names no setting: unset it; new providers and routes come from the file or from --set";
}

std::string Ambiguous(std::span<const SettingPlace> places) {
  return fmt::format("means both {} and {}: use --set instead", JoinSteps(places[0].steps),
                     JoinSteps(places[1].steps));
}

// The longest part of `path` that is a place tells which names could have followed.
void ComplainOfPath(std::string_view path, Problems& problems) {
  for (size_t end = path.rfind('.'); end != std::string_view::npos && end > 0;
       end = path.rfind('.', end - 1)) {
    const auto parent = FindPlace(path.substr(0, end));
    if (parent) return problems.Add(path, UnknownSetting(*parent->setting, path.substr(end + 1)), "--set");
  }
  const std::string_view head = path.substr(0, path.find('.'));
  problems.Add(head, UnknownSetting(RootSetting(), head), "--set");
}

}  // namespace

void ApplyEnvironment(SettingNode& root, const Environment& environment, Problems& problems) {
  const Variables variables(root);
  for (auto it = environment.lower_bound(kPrefix); it != environment.end(); ++it) {
    const auto& [name, value] = *it;
    if (!name.starts_with(kPrefix)) break;
    if (value.empty() || std::ranges::find(kReserved, name) != std::end(kReserved)) continue;
    const auto places = variables.Find(name);
    if (places.size() == 1) {
      SetPlace(root, places.front(), value, name, problems);
    } else if (places.size() > 1) {
      problems.Add(name, Ambiguous(places));
    } else if (!IsServiceLink(name, value)) {
      problems.Add(name, Unknown(name, variables));
    }
  }
}

void ApplySet(SettingNode& root, std::span<const std::string> assignments, Problems& problems) {
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    const std::string path = assignment.substr(0, equals);
    if (equals == std::string::npos || equals == 0) {
      problems.Add("--set", "is no PATH=VALUE: write it like --set listen.grpc=0");
      continue;
    }
    const auto place = FindPlace(path);
    if (place) {
      SetPlace(root, *place, assignment.substr(equals + 1), "--set", problems);
    } else {
      ComplainOfPath(path, problems);
    }
  }
}

}  // namespace llm_router
