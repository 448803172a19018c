#include "router/pipeline/caller_reply.h"

#include <utility>

namespace llm_router {

namespace tag = contract::tag;

Reply MakeCallerReply(const Exchange& exchange, std::string_view provider, std::string_view model,
                      const std::optional<ChatUsage>& usage, std::string body) {
  const bool text = exchange.dialect->name() == contract::dialect::kText;
  Reply reply;
  reply.executed = true;
  Tags& tags = reply.message.tags;
  tags[std::string(tag::kProvider)] = provider;
  tags[std::string(tag::kModel)] = model;
  tags[std::string(tag::kContentType)] =
      text && exchange.tags.bare_text ? contract::kPlainText : contract::kJson;
  if (text && !exchange.tags.bare_text) {
    contract::TextReply shape;
    shape.response = std::move(body);
    shape.model = model;
    shape.provider = provider;
    if (usage) shape.usage = contract::Usage{usage->input_tokens, usage->output_tokens};
    body = ToJson(shape);
  }
  // Who has the stream may not want the whole again.
  if (exchange.sink == nullptr || exchange.tags.whole) reply.message.body = std::move(body);
  return reply;
}

}  // namespace llm_router
