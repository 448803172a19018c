// What the endpoints of OpenAI's HTTP interface have in common
// (platform.openai.com/docs/api-reference). Pure.
#pragma once

#include <string>

#include "router/simulate/api.h"

namespace llm_router::simulate {

class OpenAiBase : public Api {
 public:
  Verdict CheckHead(const HttpRequest& request) const override;
  std::string RenderModels() const override;
  std::string RenderError(const Refusal& refusal, const std::string& request_id) const override;
  std::string_view request_id_header() const override { return "x-request-id"; }
};

// What it refuses of `stream` and `stream_options`.
Verdict CheckOpenAiStream(const Json& body);
void ReadOpenAiStream(const Json& body, Conversation& conversation);
void ReadOpenAiStops(const Json& stop, Conversation& conversation);
int ReadOpenAiChoices(const Json& body);

std::string OpenAiFinishReason(const Answer& answer);
// Of all prompts and choices.
Json OpenAiUsage(const Conversation& conversation, const Answer& answer);

// "data: ...\n\n"
std::string OpenAiFrame(std::string_view json);
inline constexpr std::string_view kOpenAiDone = "data: [DONE]\n\n";

}  // namespace llm_router::simulate
