#include "router/dialects/reply_stream.h"

#include <type_traits>
#include <utility>

namespace llm_router {
namespace {

bool IsOutputPart(const Part& part) {
  if (const auto* thought = std::get_if<ThinkingPart>(&part)) return !thought->redacted.empty();
  return std::holds_alternative<ToolCallPart>(part);
}

void Append(Part& part, const std::string& text) {
  std::visit(
      [&text](auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<Kind, ToolCallPart>) kind.arguments += text;
        if constexpr (std::is_same_v<Kind, TextPart> || std::is_same_v<Kind, RefusalPart> ||
                      std::is_same_v<Kind, ThinkingPart>)
          kind.text += text;
      },
      part);
}

}  // namespace

bool IsOutput(const ReplyEvent& event) {
  if (const auto* begin = std::get_if<PartBegin>(&event)) return IsOutputPart(begin->part);
  if (const auto* delta = std::get_if<PartDelta>(&event)) return !delta->text.empty();
  return std::holds_alternative<ReplyEnd>(event);
}

void ReplyAssembler::Add(const ReplyEvent& event) {
  if (const auto* begin = std::get_if<ReplyBegin>(&event)) {
    reply_.id = begin->id;
    reply_.model = begin->model;
    reply_.created = begin->created;
    reply_.usage = begin->usage;
  } else if (const auto* part = std::get_if<PartBegin>(&event)) {
    reply_.parts.push_back(part->part);
  } else if (const auto* delta = std::get_if<PartDelta>(&event)) {
    Append(reply_.parts.at(delta->index), delta->text);
  } else if (const auto* proof = std::get_if<PartSignature>(&event)) {
    std::get<ThinkingPart>(reply_.parts.at(proof->index)).signature += proof->signature;
  } else if (const auto* end = std::get_if<ReplyEnd>(&event)) {
    reply_.finish = end->finish;
    reply_.stop_sequence = end->stop_sequence;
    if (end->usage) reply_.usage = end->usage;
  }
}

ChatReply ReplyAssembler::Take(std::vector<std::string> unknown) {
  reply_.unknown = std::move(unknown);
  return std::exchange(reply_, ChatReply());
}

std::vector<ReplyEvent> EventsOf(const ChatReply& reply) {
  std::vector<ReplyEvent> events;
  events.emplace_back(ReplyBegin{reply.id, reply.model, reply.created, reply.usage});
  for (size_t i = 0; i < reply.parts.size(); ++i) {
    Part empty = reply.parts[i];
    std::string text, signature;
    if (auto* said = std::get_if<TextPart>(&empty)) text = std::exchange(said->text, {});
    if (auto* refused = std::get_if<RefusalPart>(&empty)) text = std::exchange(refused->text, {});
    if (auto* call = std::get_if<ToolCallPart>(&empty)) text = std::exchange(call->arguments, {});
    if (auto* thought = std::get_if<ThinkingPart>(&empty)) {
      text = std::exchange(thought->text, {});
      signature = std::exchange(thought->signature, {});
    }
    events.emplace_back(PartBegin{i, std::move(empty)});
    if (!text.empty()) events.emplace_back(PartDelta{i, std::move(text)});
    if (!signature.empty()) events.emplace_back(PartSignature{i, std::move(signature)});
  }
  events.emplace_back(ReplyEnd{reply.finish, reply.stop_sequence, reply.usage});
  return events;
}

}  // namespace llm_router
