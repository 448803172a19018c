// ProviderRules: how each provider that the simulator plays differs from the API it imitates: where its door
// is, how it wants its key, what it refuses.
//
// Constant data, sorted by type, written from the providers' documentation; a second opinion on the router's
// own table of providers, of which it knows nothing. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "router/simulate/api.h"
#include "router/simulate/json_view.h"

namespace llm_router::simulate {

struct FieldRule {
  enum class Kind {
    kRefused,       // a request has no such field, unless its value is `allowed`
    kRange,         // a number from `least` to `most`
    kRole,          // no message has this role
    kMessageField,  // no message has this field
    kNotBoth,       // not beside `other`
  };

  Kind kind;
  std::string_view field;
  std::string_view other = {};    // kNotBoth; kRefused: what to use instead
  std::string_view allowed = {};  // JSON
  double least = 0;
  double most = 0;
  std::span<const std::string_view> models = {};  // only of those whose names begin so; empty: all
  std::span<const std::string_view> except = {};  // none of those that hold this
};

struct ProviderRules {
  std::string_view type;
  std::string_view path;        // of its chats; * stands for one segment, which names the model
  bool completions = false;     // whether it has those, beside its chats (.../completions),
  bool embeddings = false;      // and those (.../embeddings)
  std::string_view query = {};  // which parameter must be there
  std::string_view key_header = "authorization";
  std::string_view key_prefix = "Bearer ";
  bool key_optional = false;
  bool anthropic = false;                             // which API it imitates: Anthropic's, else OpenAI's
  std::span<const std::string_view> own_fields = {};  // beside those of that API
  std::span<const FieldRule> fields = {};
};

std::span<const ProviderRules> AllProviderRules();
// The rules of that type, or null.
const ProviderRules* FindProviderRules(std::string_view type);

// The key that came with the request; empty: none.
std::string KeyOf(const ProviderRules& rules, const HttpRequest& request);

enum class Task { kNone, kModels, kChat, kCompletions, kEmbeddings, kTokenCount };

struct PathMatch {
  Task task = Task::kNone;
  std::string model;  // which the path names; empty: none
};

// What a request to `path` is for.
PathMatch MatchPath(const ProviderRules& rules, std::string_view path);

// "POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models"
std::string DoorsOf(const ProviderRules& rules);

// What the provider would refuse beyond what the API it imitates does.
Verdict CheckProviderRules(const ProviderRules& rules, const Json& body);

}  // namespace llm_router::simulate
