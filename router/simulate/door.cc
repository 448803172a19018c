#include "router/simulate/door.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace llm_router::simulate {
namespace {

constexpr std::string_view kMessages = "/v1/messages";

const ProviderRules& RulesWithoutType(const HttpRequest& request) {
  const bool says_version = !HeaderOr(request.headers, "anthropic-version").empty();
  const std::string_view path = request.path;
  const bool messages = path.starts_with(kMessages);
  const bool of_openai = MatchPath(*FindProviderRules("openai"), path).task > Task::kModels;
  const bool anthropic = messages || (says_version && !of_openai);
  return *FindProviderRules(anthropic ? "anthropic" : "openai");
}

bool HasParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.size() > name.size() + 1 && pair.starts_with(name) && pair[name.size()] == '=') return true;
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return false;
}

}  // namespace

Door DoorOf(const HttpRequest& request) {
  const std::string_view path = request.path;
  const std::string_view first = path.substr(0, path.find('/', 1));
  const ProviderRules* named = first.empty() ? nullptr : FindProviderRules(first.substr(1));
  Door door(named != nullptr ? *named : RulesWithoutType(request));
  door.path = named != nullptr ? path.substr(first.size()) : path;
  door.match = MatchPath(door.rules, door.path);
  return door;
}

const Api& Door::api() const {
  switch (match.task) {
    case Task::kCompletions:
      return OpenAiCompletionsApi();
    case Task::kEmbeddings:
      return OpenAiEmbeddingsApi();
    case Task::kTokenCount:
      return AnthropicTokenCountApi();
    default:
      return rules.anthropic ? AnthropicApi() : OpenAiApi();
  }
}

Verdict CheckDoor(const Door& door, const HttpRequest& request, const Json& body) {
  if (door.task() == Task::kNone) {
    return Refusal(404, fmt::format("Unknown request URL: {} {}. The simulator of {} has {}.", request.method,
                                    request.path, door.rules.type, DoorsOf(door.rules)));
  }
  const bool reads = door.task() == Task::kModels;
  if (request.method != (reads ? "GET" : "POST")) {
    return Refusal(405, fmt::format("Not allowed to {} on {}.", request.method, request.path));
  }
  if (!reads && !body.is_object()) return Refusal(400, "We could not parse the JSON body of your request.");
  return std::nullopt;
}

Verdict CheckHead(const Door& door, const HttpRequest& request) {
  const ProviderRules& rules = door.rules;
  if (!rules.key_optional && KeyOf(rules, request).empty()) {
    return Refusal(401, fmt::format("You didn't provide an API key. Send it as '{}: {}YOUR_KEY'.",
                                    rules.key_header, rules.key_prefix));
  }
  if (door.task() > Task::kModels && !rules.query.empty() && !HasParameter(request.query, rules.query)) {
    return Refusal(404, fmt::format("Resource not found: the query has no {}.", rules.query));
  }
  return door.api().CheckHead(request);
}

}  // namespace llm_router::simulate
