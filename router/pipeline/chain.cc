#include "router/pipeline/chain.h"

#include <fmt/format.h>

#include <utility>

#include "broker_adapters/base/ids.h"
#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "proto/fault.h"
#include "proto/trace_context.h"
#include "router/dialects/notes.h"
#include "router/pipeline/caller_reply.h"
#include "router/pipeline/chain_input.h"
#include "router/pipeline/write_whole.h"

namespace llm_router {
namespace {

namespace tag = contract::tag;

// How many chains may stand inside one another. Circles within one configuration are refused when it is read;
// this one ends those that go over several.
constexpr int kMaxHops = 8;

absl::StatusOr<int> HopsOf(const Tags& tags) {
  const auto hops = ParseNumber<int>(TagOr(tags, tag::kHops, "0"));
  if (!hops || *hops < 0) {
    return MakeFault(Fault::kInvalidRequest, "tag hops is no count of chains: leave it out");
  }
  if (*hops >= kMaxHops) {
    return MakeFault(Fault::kInvalidRequest,
                     fmt::format("{} chains stand inside one another: look for a circle among the chains of "
                                 "all workers",
                                 *hops));
  }
  return *hops;
}

absl::Status CheckModel(const Exchange& exchange) {
  const std::string& asked = exchange.chat.model;
  if (asked.empty() || asked == exchange.route.name) return absl::OkStatus();
  return MakeFault(
      Fault::kUnknownModel,
      fmt::format("route {} is a chain and has no models: leave the model out", exchange.route.name));
}

// A step's query is below this one.
void AddTrace(const Exchange& exchange, Tags& tags) {
  if (!exchange.span.context()) return;
  tags[std::string(tag::kTraceparent)] = contract::ToTraceparent(*exchange.span.context());
  const auto state = TagOr(exchange.query.message.tags, tag::kTracestate);
  if (exchange.span.is_continued() && contract::IsTracestate(state))
    tags[std::string(tag::kTracestate)] = state;
}

// What every step is told beside its prompt.
Tags StepTags(const Exchange& exchange, const ChainInput& input, int hops) {
  Tags tags;
  for (const auto key : {tag::kTenant, tag::kRequestId, tag::kTraceparent, tag::kPriority, tag::kFailFast}) {
    if (const auto value = TagOr(exchange.query.message.tags, key); !value.empty())
      tags[std::string(key)] = value;
  }
  AddTrace(exchange, tags);
  tags[std::string(tag::kDeadline)] = std::to_string(ToUnixMillis(exchange.deadline));
  tags[std::string(tag::kHops)] = std::to_string(hops);
  if (!input.system.empty()) tags[std::string(tag::kSystem)] = input.system;
  if (input.temperature) tags[std::string(tag::kTemperature)] = fmt::format("{}", *input.temperature);
  return tags;
}

// What the steps so far came to.
struct Sum {
  Sum() = default;

  contract::TextReply last;
  std::optional<ChatUsage> usage;
  int attempts = 0;
  Warnings warnings;
};

void AddTags(const Tags& tags, Sum& sum) {
  sum.attempts += ParseNumber<int>(TagOr(tags, tag::kAttempts)).value_or(0);
  std::string_view rest = TagOr(tags, tag::kWarnings);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find("; "), rest.size());
    AddNote(sum.warnings, std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
}

absl::Status AddReply(const absl::StatusOr<Reply>& reply, Sum& sum) {
  RETURN_IF_ERROR(reply.status());
  const Tags& tags = reply->message.tags;
  AddTags(tags, sum);
  if (!reply->executed) return contract::ParseError(reply->error, reply->message.body);
  const std::string_view type = TagOr(tags, tag::kContentType);
  ASSIGN_OR_RETURN(sum.last,
                   contract::ParseTextReply(type.substr(0, type.find_first_of("; ")), reply->message.body));
  if (!sum.last.usage) return absl::OkStatus();
  if (!sum.usage) sum.usage.emplace();
  sum.usage->input_tokens += sum.last.usage->input_tokens;
  sum.usage->output_tokens += sum.last.usage->output_tokens;
  return absl::OkStatus();
}

// Tokens and provider calls are counted where the steps run; the reply's tags tell their sum.
Awaitable<absl::StatusOr<Reply>> Answer(Exchange& exchange, Sum sum) {
  for (std::string& warning : sum.warnings) AddNote(exchange.warnings, std::move(warning));
  ChatReply answer;
  answer.id = NewId();
  answer.created = UnixMillis() / 1000;
  answer.model = sum.last.model.empty() ? exchange.route.name : sum.last.model;
  answer.parts.emplace_back(TextPart{std::move(sum.last.response)});
  answer.usage = sum.usage;
  if (exchange.sink != nullptr) CO_RETURN_IF_ERROR(co_await WriteWhole(exchange, answer));
  std::string body = exchange.dialect->RenderReply(answer, exchange.warnings);
  Reply reply = MakeCallerReply(exchange, sum.last.provider, answer.model, sum.usage, std::move(body));
  if (sum.usage) {
    reply.message.tags[std::string(tag::kInputTokens)] = std::to_string(sum.usage->input_tokens);
    reply.message.tags[std::string(tag::kOutputTokens)] = std::to_string(sum.usage->output_tokens);
  }
  co_return reply;
}

class ChainStage final : public Stage {
 public:
  ChainStage(Broker& broker, size_t max_body) : broker_(broker), max_body_(max_body) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override {
    if (exchange.route.chain.empty()) co_return co_await next();
    CO_ASSIGN_OR_RETURN(const int hops, HopsOf(exchange.query.message.tags));
    CO_RETURN_IF_ERROR(CheckModel(exchange));
    const ChainInput input = ReadChainInput(exchange.chat, exchange.warnings);
    const Tags tags = StepTags(exchange, input, hops + 1);
    Sum sum;
    for (const ChainStep& step : exchange.route.chain) {
      const absl::Status done = co_await RunStep(exchange, step, input, tags, sum);
      exchange.attempts = sum.attempts;
      if (!done.ok()) co_return Named(exchange.route, step, done);
    }
    co_return co_await Answer(exchange, std::move(sum));
  }

 private:
  Awaitable<absl::Status> RunStep(const Exchange& exchange, const ChainStep& step, const ChainInput& input,
                                  const Tags& tags, Sum& sum) {
    if (co_await Cancelled()) co_return MakeFault(Fault::kCancelled, "the query was cancelled");
    auto prompt = step.prompt.Render(input.text, sum.last.response, max_body_);
    if (!prompt.ok()) co_return prompt.status();
    Message message(contract::RequestsChannel(step.route), *std::move(prompt));
    message.id = NewId();
    message.timestamp = UnixNanos();
    message.tags = tags;
    message.tags[std::string(tag::kQuery)] = NewId();
    if (&step == &exchange.route.chain.back() && input.max_tokens) {
      message.tags[std::string(tag::kMaxTokens)] = std::to_string(*input.max_tokens);
    }
    const auto reply = co_await broker_.Request(Query(Kind::kQuery, std::move(message), exchange.deadline));
    co_return AddReply(reply, sum);
  }

  static absl::Status Named(const Route& route, const ChainStep& step, const absl::Status& failure) {
    const auto number = &step - route.chain.data() + 1;
    return Annotate(failure, fmt::format("step {} (route {})", number, step.route));
  }

  Broker& broker_;
  const size_t max_body_;
};

}  // namespace

std::unique_ptr<Stage> MakeChainStage(Broker& broker, size_t max_body) {
  return std::make_unique<ChainStage>(broker, max_body);
}

}  // namespace llm_router
