#include "router/simulate/door.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

namespace llm_router::simulate {
namespace {

constexpr std::string_view kModels = "/v1/models";

const ProviderRules& RulesWithoutType(const HttpRequest& request) {
  const bool says_version = !HeaderOr(request.headers, "anthropic-version").empty();
  const bool anthropic =
      request.path == "/v1/messages" || (says_version && request.path != "/v1/chat/completions");
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
  if (const auto model = MatchPath(door.rules, door.path)) {
    door.is_chat = true;
    door.model = *model;
  }
  door.lists_models = !door.is_chat && door.path == kModels;
  return door;
}

Verdict CheckDoor(const Door& door, const HttpRequest& request, const Json& body) {
  if (!door.is_chat && !door.lists_models) {
    return Refusal(404, fmt::format("Unknown request URL: {} {}. The simulator of {} has POST {} and GET {}.",
                                    request.method, request.path, door.rules.type, door.rules.path, kModels));
  }
  if (request.method != (door.lists_models ? "GET" : "POST")) {
    return Refusal(405, fmt::format("Not allowed to {} on {}.", request.method, request.path));
  }
  if (door.lists_models) return std::nullopt;
  if (!body.is_object()) return Refusal(400, "We could not parse the JSON body of your request.");
  if (At(body, "stream") == true) {
    return Refusal(400, "The simulator does not stream yet: send \"stream\": false.", "stream");
  }
  return std::nullopt;
}

Verdict CheckHead(const Door& door, const HttpRequest& request) {
  const ProviderRules& rules = door.rules;
  if (!rules.key_optional && KeyOf(rules, request).empty()) {
    return Refusal(401, fmt::format("You didn't provide an API key. Send it as '{}: {}YOUR_KEY'.",
                                    rules.key_header, rules.key_prefix));
  }
  if (door.is_chat && !rules.query.empty() && !HasParameter(request.query, rules.query)) {
    return Refusal(404, fmt::format("Resource not found: the query has no {}.", rules.query));
  }
  return door.api().CheckHead(request);
}

}  // namespace llm_router::simulate
