#include "router/simulate/provider_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace llm_router::simulate {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kChats = "chat/completions";
constexpr std::string_view kModels = "/v1/models";

bool Concerns(const FieldRule& rule, std::string_view model) {
  const auto begins = [model](std::string_view prefix) { return model.substr(0, prefix.size()) == prefix; };
  const auto holds = [model](std::string_view part) { return model.find(part) != model.npos; };
  return (rule.models.empty() || std::ranges::any_of(rule.models, begins)) &&
         std::ranges::none_of(rule.except, holds);
}

bool IsAllowed(const FieldRule& rule, const Json& value) {
  return value.is_null() || (!rule.allowed.empty() && value == Json::parse(rule.allowed));
}

Verdict Unsupported(const FieldRule& rule) {
  const std::string instead = rule.other.empty() ? "" : fmt::format(" Use '{}' instead.", rule.other);
  return Refusal(400,
                 fmt::format("Unsupported parameter: '{}' is not supported here.{}", rule.field, instead),
                 std::string(rule.field));
}

Verdict CheckRange(const FieldRule& rule, const Json& value) {
  if (!value.is_number() || (value >= rule.least && value <= rule.most)) return std::nullopt;
  return Refusal(
      400,
      fmt::format("Invalid value for '{}': it must be from {} to {}.", rule.field, rule.least, rule.most),
      std::string(rule.field));
}

Verdict CheckMessages(const FieldRule& rule, const Json& messages) {
  const bool role = rule.kind == FieldRule::Kind::kRole;
  for (size_t i = 0; messages.is_array() && i < messages.size(); ++i) {
    const bool bad =
        role ? Text(At(messages[i], "role")) == rule.field : !At(messages[i], rule.field).is_null();
    if (bad) {
      const std::string where = fmt::format("messages[{}]", i);
      return Refusal(400, fmt::format("Unsupported value: '{}' at '{}'.", rule.field, where), where);
    }
  }
  return std::nullopt;
}

Verdict CheckField(const FieldRule& rule, const Json& body) {
  const Json& value = At(body, rule.field);
  switch (rule.kind) {
    case FieldRule::Kind::kRefused:
      return body.contains(rule.field) && !IsAllowed(rule, value) ? Unsupported(rule) : std::nullopt;
    case FieldRule::Kind::kRange:
      return CheckRange(rule, value);
    case FieldRule::Kind::kNotBoth:
      if (value.is_null() || At(body, rule.other).is_null()) return std::nullopt;
      return Refusal(
          400, fmt::format("'{}' and '{}' cannot both be specified for this model.", rule.other, rule.field));
    default:
      return CheckMessages(rule, At(body, "messages"));
  }
}

// The model that a path names where the door's has a *, or "" where they are the same.
std::optional<std::string> MatchDoor(std::string_view door, std::string_view path) {
  const size_t star = door.find('*');
  if (star == door.npos) return path == door ? std::optional<std::string>("") : std::nullopt;
  const std::string_view before = door.substr(0, star);
  const std::string_view after = door.substr(star + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
    return std::nullopt;
  const std::string_view segment = path.substr(before.size(), path.size() - before.size() - after.size());
  if (segment.find('/') != segment.npos) return std::nullopt;
  return std::string(segment);
}

std::vector<std::pair<Task, std::string>> PathsOf(const ProviderRules& rules) {
  std::vector<std::pair<Task, std::string>> paths = {{Task::kChat, std::string(rules.path)}};
  const std::string base(rules.path.substr(0, rules.path.rfind(kChats)));
  if (rules.anthropic) paths.emplace_back(Task::kTokenCount, std::string(rules.path) + "/count_tokens");
  if (rules.completions) paths.emplace_back(Task::kCompletions, base + "completions");
  if (rules.embeddings) paths.emplace_back(Task::kEmbeddings, base + "embeddings");
  return paths;
}

}  // namespace

const ProviderRules* FindProviderRules(std::string_view type) {
  const auto rules = AllProviderRules();
  const auto found = std::ranges::find(rules, type, &ProviderRules::type);
  return found == rules.end() ? nullptr : &*found;
}

std::string KeyOf(const ProviderRules& rules, const HttpRequest& request) {
  const std::string_view value = HeaderOr(request.headers, rules.key_header);
  if (!value.empty() && value.substr(0, rules.key_prefix.size()) == rules.key_prefix) {
    return std::string(value.substr(rules.key_prefix.size()));
  }
  // Anthropic takes OAuth tokens, too.
  const std::string_view bearer = HeaderOr(request.headers, "authorization");
  if (!rules.anthropic || bearer.substr(0, kBearer.size()) != kBearer) return {};
  return std::string(bearer.substr(kBearer.size()));
}

PathMatch MatchPath(const ProviderRules& rules, std::string_view path) {
  if (path == kModels) return {Task::kModels, {}};
  for (const auto& [task, door] : PathsOf(rules)) {
    if (auto model = MatchDoor(door, path)) return {task, *std::move(model)};
  }
  return {};
}

std::string DoorsOf(const ProviderRules& rules) {
  std::string doors;
  for (const auto& [task, door] : PathsOf(rules)) doors += fmt::format("POST {}, ", door);
  return fmt::format("{}GET {}", doors, kModels);
}

Verdict CheckProviderRules(const ProviderRules& rules, const Json& body) {
  const std::string model = Text(At(body, "model"));
  for (const FieldRule& rule : rules.fields) {
    if (!Concerns(rule, model)) continue;
    if (auto bad = CheckField(rule, body)) return bad;
  }
  return std::nullopt;
}

}  // namespace llm_router::simulate
