#include "router/pipeline/decode.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"

namespace llm_router {
namespace {

absl::StatusOr<const Dialect*> DialectNamed(std::string_view name) {
  if (const Dialect* dialect = FindDialect(name)) return dialect;
  std::vector<std::string_view> known;
  for (const Dialect* dialect : AllDialects()) known.push_back(dialect->name());
  return MakeFault(Fault::kInvalidRequest, fmt::format("tag dialect is \"{}\": there are {}",
                                                       name.substr(0, 64), fmt::join(known, ", ")));
}

// Text has no fields of its own: its parameters come as tags.
void ApplyTags(const contract::QueryTags& tags, Chat& chat) {
  if (tags.model) chat.model = *tags.model;
  chat.temperature = tags.temperature;
  chat.max_tokens = tags.max_tokens;
  if (tags.system) {
    chat.messages.insert(chat.messages.begin(), ChatMessage(Role::kSystem, {TextPart{*tags.system}}));
  }
}

// A provider that hangs is to be named by us before the caller's own clock says no more than "timeout".
TimePoint LeaveTimeToAnswer(TimePoint deadline) {
  const auto left = deadline - Now();
  return deadline - std::min<Timer::duration>(left / 10, Milliseconds(200));
}

class DecodeStage final : public Stage {
 public:
  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override {
    CO_RETURN_IF_ERROR(Decode(exchange));
    co_return co_await next();
  }

 private:
  static absl::Status Decode(Exchange& exchange) {
    ASSIGN_OR_RETURN(exchange.tags, contract::ParseQueryTags(exchange.query.message.tags));
    TimePoint deadline = exchange.query.deadline;
    if (exchange.tags.deadline_ms) deadline = std::min(deadline, FromUnixMillis(*exchange.tags.deadline_ms));
    if (deadline <= Now())
      return MakeFault(Fault::kTimeout, "the query's deadline had passed before a worker took it");
    exchange.deadline = LeaveTimeToAnswer(deadline);
    ASSIGN_OR_RETURN(exchange.dialect, DialectNamed(exchange.tags.dialect));
    ASSIGN_OR_RETURN(exchange.chat, exchange.dialect->ParseRequest(exchange.query.message.body));
    if (exchange.chat.stream && exchange.sink == nullptr) {
      return MakeFault(
          Fault::kInvalidRequest,
          "stream: true needs the tag stream-to, the channel for the chunks: add it, or leave stream "
          "out");
    }
    if (exchange.dialect->name() == contract::dialect::kText) ApplyTags(exchange.tags, exchange.chat);
    return absl::OkStatus();
  }
};

}  // namespace

std::unique_ptr<Stage> MakeDecodeStage() { return std::make_unique<DecodeStage>(); }

}  // namespace llm_router
