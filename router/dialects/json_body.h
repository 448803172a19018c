// JSON bodies of strangers: read whole, with bounds, or refused with a sentence. Pure; any thread.
//
// Objects keep the order of their keys: in a schema for structured output it is the order in which a model
// writes. Bounds: 256 levels deep, a million values, a thousand top-level keys. Only the library's own
// headers know nlohmann/json.hpp; this one makes do with its forward declarations.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/fault.h"

namespace llm_router {

using Json = nlohmann::ordered_json;

// Whose body it is, for the error messages.
struct BodyKind {
  Fault fault;
  std::string_view subject;  // "the body"
  std::string_view must_be;  // "It must be an OpenAI chat completion request, a JSON object."
};

// One JSON object, valid UTF-8, no duplicate top-level key, within the bounds; else the kind's fault, with
// the position where reading stopped. CheckBody is ParseBody without keeping the values.
absl::StatusOr<Json> ParseBody(std::string_view body, const BodyKind& kind);
[[nodiscard]] absl::Status CheckBody(std::string_view body, const BodyKind& kind);

// `text` when it is a JSON object within the bounds (a schema, a tool call's arguments); else null.
Json ObjectOrNull(std::string_view text);

// As text on one line; what is not UTF-8 is replaced.
std::string DumpJson(const Json& json);
// A text alone, in its quotes.
std::string QuoteJson(std::string_view text);

}  // namespace llm_router
