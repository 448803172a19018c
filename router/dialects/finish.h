// Why a reply ended, as both dialects must tell it. Pure; any thread.
#pragma once

#include <algorithm>
#include <variant>

#include "router/dialects/chat.h"

namespace llm_router {

template <class Kind>
bool HasPart(const ChatReply& reply) {
  return std::ranges::any_of(reply.parts,
                             [](const Part& part) { return std::holds_alternative<Kind>(part); });
}

// A reply that calls tools says so, whatever a sloppy provider wrote: SDKs run the tools only then.
inline Finish FinishOf(Finish finish, bool calls_tools) {
  const bool ended = finish == Finish::kStop || finish == Finish::kUnknown;
  return ended && calls_tools ? Finish::kToolCalls : finish;
}
inline Finish FinishOf(const ChatReply& reply) {
  return FinishOf(reply.finish, HasPart<ToolCallPart>(reply));
}

}  // namespace llm_router
