#include "router/pipeline/call.h"

#include <fmt/format.h>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/notes.h"
#include "router/dialects/token_estimate.h"
#include "router/pipeline/caller_reply.h"
#include "router/pipeline/query_span.h"
#include "router/pipeline/series.h"
#include "router/pipeline/stream_call.h"

namespace llm_router {
namespace {

bool Streams(const Exchange& exchange) {
  return exchange.sink != nullptr && exchange.dialect->kind() == DialectKind::kChat;
}

absl::StatusOr<std::string> RenderRequest(Exchange& exchange, const Dialect& theirs) {
  const std::string& model = exchange.target->model;
  const bool streams = Streams(exchange);
  if (&theirs == exchange.dialect) return theirs.WithModel(exchange.query.message.body, model, streams);
  Chat chat = exchange.chat;
  chat.model = model;
  chat.stream = streams;
  return theirs.RenderRequest(chat, exchange.warnings);
}

// Between two ends of Anthropic's, the features that the caller asks for by a header.
void Forward(const Exchange& exchange, const Dialect& theirs, HttpCall& call) {
  const auto beta = TagOr(exchange.query.message.tags, contract::tag::kAnthropicBeta);
  if (!beta.empty() && &theirs == exchange.dialect && theirs.name().starts_with("anthropic."))
    call.headers.emplace_back(std::string(contract::tag::kAnthropicBeta), beta);
}

// What the caller reads: JSON of its own dialect, or the answer's text alone.
Reply RenderReply(Exchange& exchange, const Dialect& theirs, const ChatReply& answer, std::string body) {
  const Provider& provider = *exchange.target->provider;
  const std::string name = provider.simulated() ? "simulated" : provider.id();
  if (&theirs != exchange.dialect) body = exchange.dialect->RenderReply(answer, exchange.warnings);
  return MakeCallerReply(exchange, name, answer.model.empty() ? exchange.target->model : answer.model,
                         answer.usage, std::move(body));
}

// A target that can't count tokens costs nothing: they are estimated here.
absl::StatusOr<Reply> AnswerWithout(Exchange& exchange) {
  const Provider& provider = *exchange.target->provider;
  if (exchange.dialect->kind() != DialectKind::kTokenCount) {
    return MakeFault(
        Fault::kNotSupported,
        fmt::format("provider {} takes no queries in the dialect {}: ask a route whose provider does",
                    provider.id(), exchange.dialect->name()));
  }
  AddNote(exchange.warnings, "input_tokens estimated");
  ChatReply estimate;
  estimate.usage.emplace().input_tokens = EstimateTokens(exchange.chat);
  return MakeCallerReply(exchange, "estimate", exchange.target->model, std::nullopt,
                         exchange.dialect->RenderReply(estimate, exchange.warnings));
}

// Counts and traces one call of a provider, also when its coroutine is destroyed.
class Attempt {
 public:
  explicit Attempt(Exchange& exchange) : series_(SeriesOf(exchange)) {
    ++exchange.attempts;
    span_ = BeginAttemptSpan(exchange);
    if (series_ != nullptr) series_->AttemptBegan();
  }
  ~Attempt() {
    if (series_ != nullptr) series_->AttemptEnded(fault_, SecondsSince(start_));
    if (fault_) span_.Fail(*fault_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const Span& span() const { return span_; }

  void Ended(const absl::StatusOr<Reply>& result) {
    fault_ = result.ok() ? std::nullopt : std::optional<Fault>(FaultOf(result.status()));
    EndAttemptSpan(span_, result);
  }

 private:
  QuerySeries* const series_;
  Span span_;
  const TimePoint start_ = Now();
  std::optional<Fault> fault_ = Fault::kCancelled;
};

class CallStage final : public Stage {
 public:
  CallStage(HttpClient& http, size_t max_reply) : http_(http), max_reply_(max_reply) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next) override {
    const Provider& provider = *exchange.target->provider;
    exchange.warnings.clear();  // those of a target that failed are no longer true
    const Dialect* theirs = provider.DialectFor(*exchange.dialect);
    if (theirs == nullptr) co_return AnswerWithout(exchange);
    CO_RETURN_IF_ERROR(provider.CheckKey());
    CO_ASSIGN_OR_RETURN(std::string body, RenderRequest(exchange, *theirs));
    HttpCall call = provider.MakeCall(*theirs, exchange.target->model, std::move(body), exchange.warnings);
    Forward(exchange, *theirs, call);
    call.deadline = exchange.deadline;
    call.max_reply = max_reply_;
    Attempt attempt(exchange);
    AddTraceHeaders(exchange, attempt.span(), call.headers);
    absl::StatusOr<Reply> result = co_await Call(exchange, *theirs, std::move(call));
    attempt.Ended(result);
    co_return result;
  }

 private:
  Awaitable<absl::StatusOr<Reply>> Call(Exchange& exchange, const Dialect& theirs, HttpCall call) {
    if (Streams(exchange)) co_return co_await StreamCall(http_, exchange, theirs, std::move(call));
    co_return Read(exchange, theirs, co_await http_.Do(std::move(call)));
  }

  static absl::StatusOr<Reply> Read(Exchange& exchange, const Dialect& theirs,
                                    absl::StatusOr<HttpReply> answer) {
    const Provider& provider = *exchange.target->provider;
    if (!answer.ok()) return Annotate(answer.status(), fmt::format("provider {}", provider.id()));
    if (answer->status != 200) return provider.ClassifyFailure(*answer);
    const bool same = &theirs == exchange.dialect;
    ASSIGN_OR_RETURN(const ChatReply read, same ? provider.GlanceAtReply(theirs, answer->body)
                                                : provider.ReadReply(theirs, answer->body));
    exchange.usage = read.usage;
    return RenderReply(exchange, theirs, read, std::move(answer->body));
  }

  HttpClient& http_;
  const size_t max_reply_;
};

}  // namespace

std::unique_ptr<Stage> MakeCallStage(HttpClient& http, size_t max_reply) {
  return std::make_unique<CallStage>(http, max_reply);
}

}  // namespace llm_router
