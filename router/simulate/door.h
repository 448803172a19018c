// Door: which provider a request to the simulator is for, told by its path.
//
// /TYPE/REST is REST of that type's provider (provider_rules.h), as in
// /groq/openai/v1/chat/completions. Without a type /v1/messages and what is below it
// are Anthropic's, every other path OpenAI's.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "router/simulate/api.h"
#include "router/simulate/provider_rules.h"

namespace llm_router::simulate {

struct Door {
  explicit Door(const ProviderRules& provider) : rules(provider) {}

  const ProviderRules& rules;
  std::string_view path;  // without the type; of the request
  PathMatch match;

  Task task() const { return match.task; }
  // The endpoint; of a path that has none, the provider's first.
  const Api& api() const;
};

// Valid as long as `request` is.
Door DoorOf(const HttpRequest& request);

// Wrong doors and unreadable bodies are refused even when the simulator is not strict.
Verdict CheckDoor(const Door& door, const HttpRequest& request, const Json& body);

// What the real provider would refuse of the head of a request: its key, its version, its query.
Verdict CheckHead(const Door& door, const HttpRequest& request);

}  // namespace llm_router::simulate
