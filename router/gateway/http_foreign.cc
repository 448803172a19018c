#include "router/gateway/http_foreign.h"

#include <utility>

#include "broker_adapters/base/utf8.h"
#include "proto/contract.h"
#include "router/dialects/dialect.h"
#include "router/dialects/reply_stream.h"

namespace llm_router {
namespace {

const Dialect* OfChats(std::string_view name) {
  const Dialect* dialect = FindDialect(name);
  return dialect != nullptr && dialect->kind() == DialectKind::kChat ? dialect : nullptr;
}

}  // namespace

void DressText(std::string_view dialect_name, std::string_view model, Reply& reply) {
  const Dialect* dialect = OfChats(dialect_name);
  if (dialect == nullptr || !TagOr(reply.message.tags, contract::tag::kContentType).empty()) return;
  if (reply.message.body.empty() || reply.message.body.starts_with('{')) return;
  ChatReply said;
  said.model = model;
  said.parts.emplace_back(TextPart{ToUtf8(std::move(reply.message.body))});
  Warnings none;
  reply.message.body = dialect->RenderReply(said, none);
}

std::optional<std::string> AsEvents(std::string_view dialect_name, std::string_view body) {
  const Dialect* dialect = OfChats(dialect_name);
  if (dialect == nullptr) return std::nullopt;
  const auto said = dialect->ParseReply(body);
  if (!said.ok()) return std::nullopt;
  Warnings none;
  const auto writer = dialect->NewWriter(StreamWishes(), none);
  std::string events;
  for (const ReplyEvent& event : EventsOf(*said)) events += writer->Write(event);
  return events;
}

}  // namespace llm_router
