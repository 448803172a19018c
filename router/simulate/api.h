// Api: one endpoint of a provider's HTTP interface as the simulator plays it: what it refuses, what it reads,
// how it answers, whole and in frames.
//
// Written from the providers' documentation and with a JSON library only, so that it is a second opinion on
// the codecs of the router. Stateless; loop thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "router/net/http_message.h"
#include "router/simulate/answer.h"
#include "router/simulate/conversation.h"
#include "router/simulate/stream_writer.h"

namespace llm_router::simulate {

// Why a provider would turn a request down.
struct Refusal {
  Refusal(int code, std::string sentence, std::string field = {})
      : status(code), message(std::move(sentence)), param(std::move(field)) {}

  int status;
  std::string message;
  std::string param;  // the field at fault, where there is one
};
using Verdict = std::optional<Refusal>;

class Api {
 public:
  virtual ~Api() = default;

  // What the real provider would refuse of the headers (but for the key), and of the body, which may have
  // `more` fields, sorted.
  virtual Verdict CheckHead(const HttpRequest& request) const = 0;
  virtual Verdict CheckBody(const Json& body, std::span<const std::string_view> more) const = 0;

  // Reads any JSON object; what it does not understand it leaves out.
  virtual Conversation Read(const Json& body) const = 0;
  virtual std::string Render(const Conversation& conversation, const Answer& answer) const = 0;
  // The same in frames; null where it has no streams. Both outlive the writer.
  virtual std::unique_ptr<StreamWriter> Stream(const Conversation& conversation,
                                               const Answer& answer) const = 0;
  virtual std::string RenderModels() const = 0;
  virtual std::string RenderError(const Refusal& refusal, const std::string& request_id) const = 0;
  // The name of the header that carries the request's id.
  virtual std::string_view request_id_header() const = 0;
};

const Api& OpenAiApi();
const Api& OpenAiCompletionsApi();
const Api& OpenAiEmbeddingsApi();
const Api& AnthropicApi();
const Api& AnthropicTokenCountApi();

}  // namespace llm_router::simulate
