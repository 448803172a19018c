#include "router/pipeline/call.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/pipeline/caller_reply.h"

namespace llm_router {
namespace {

absl::StatusOr<std::string> RenderRequest(Exchange& exchange, const Dialect& theirs) {
  const std::string& model = exchange.target->model;
  if (&theirs == exchange.dialect) return theirs.WithModel(exchange.query.message.body, model, false);
  Chat chat = exchange.chat;
  chat.model = model;
  return theirs.RenderRequest(chat, exchange.warnings);
}

// What the caller reads: JSON of its own dialect, or the answer's text alone.
Reply RenderReply(Exchange& exchange, const Dialect& theirs, const ChatReply& answer, std::string body) {
  const Provider& provider = *exchange.target->provider;
  const std::string name = provider.simulated() ? "simulated" : provider.id();
  if (&theirs != exchange.dialect) body = exchange.dialect->RenderReply(answer, exchange.warnings);
  return MakeCallerReply(exchange, name, answer.model.empty() ? exchange.target->model : answer.model,
                         answer.usage, std::move(body));
}

class CallStage final : public Stage {
 public:
  CallStage(HttpClient& http, Metrics& metrics, size_t max_reply)
      : http_(http), metrics_(metrics), max_reply_(max_reply) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override {
    const Provider& provider = *exchange.target->provider;
    exchange.warnings.clear();  // those of a target that failed are no longer true
    CO_RETURN_IF_ERROR(provider.CheckKey());
    CO_ASSIGN_OR_RETURN(std::string body, RenderRequest(exchange, provider.dialect()));
    HttpCall call = provider.MakeCall(exchange.target->model, std::move(body), exchange.warnings);
    call.deadline = exchange.deadline;
    call.max_reply = max_reply_;
    ++exchange.attempts;
    const TimePoint start = Now();
    absl::StatusOr<Reply> result = Read(exchange, provider, co_await http_.Do(std::move(call)));
    const double seconds = std::chrono::duration<double>(Now() - start).count();
    metrics_.Attempt(provider.id(), result.ok() ? "ok" : RowOf(FaultOf(result.status())).name, seconds);
    co_return result;
  }

 private:
  static absl::StatusOr<Reply> Read(Exchange& exchange, const Provider& provider,
                                    absl::StatusOr<HttpReply> answer) {
    if (!answer.ok()) return Annotate(answer.status(), fmt::format("provider {}", provider.id()));
    if (answer->status != 200) return provider.ClassifyFailure(*answer);
    ASSIGN_OR_RETURN(const ChatReply read, provider.ReadReply(answer->body));
    exchange.usage = read.usage;
    return RenderReply(exchange, provider.dialect(), read, std::move(answer->body));
  }

  HttpClient& http_;
  Metrics& metrics_;
  const size_t max_reply_;
};

}  // namespace

std::unique_ptr<Stage> MakeCallStage(HttpClient& http, Metrics& metrics, size_t max_reply) {
  return std::make_unique<CallStage>(http, metrics, max_reply);
}

}  // namespace llm_router
