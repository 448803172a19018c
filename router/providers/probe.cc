#include "router/providers/probe.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "broker_adapters/base/status.h"

namespace llm_router {
namespace {

constexpr int64_t kMaxTokens = 64;  // a reasoning model spends some of them before it answers
constexpr size_t kMaxReply = 1024 * 1024;

Chat TinyChat(const std::string& model) {
  Chat chat;
  chat.model = model;
  chat.max_tokens = kMaxTokens;
  chat.messages.emplace_back(Role::kUser, std::vector<Part>{TextPart{"Reply with the word OK."}});
  return chat;
}

absl::StatusOr<HttpCall> TinyCall(const Provider& provider, const std::string& model, TimePoint deadline) {
  RETURN_IF_ERROR(provider.CheckKey());
  Warnings warnings;
  ASSIGN_OR_RETURN(std::string body, provider.dialect().RenderRequest(TinyChat(model), warnings));
  HttpCall call = provider.MakeCall(model, std::move(body), warnings);
  call.deadline = deadline;
  call.max_reply = kMaxReply;
  return call;
}

}  // namespace

Awaitable<absl::StatusOr<Probed>> Probe(HttpClient& http, const Provider& provider, std::string model,
                                        TimePoint deadline) {
  CO_ASSIGN_OR_RETURN(HttpCall call, TinyCall(provider, model, deadline));
  const TimePoint start = Now();
  const auto answer = co_await http.Do(std::move(call));
  if (!answer.ok()) co_return Annotate(answer.status(), fmt::format("provider {}", provider.id()));
  if (answer->status != 200) co_return provider.ClassifyFailure(*answer);
  CO_ASSIGN_OR_RETURN(const ChatReply reply, provider.ReadReply(answer->body));
  Probed probed;
  probed.model = reply.model.empty() ? model : reply.model;
  probed.latency = std::chrono::duration_cast<Milliseconds>(Now() - start);
  co_return probed;
}

}  // namespace llm_router
