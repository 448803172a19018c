#include "router/pipeline/write_whole.h"

#include <utility>

#include "router/dialects/reply_stream.h"

namespace llm_router {

Awaitable<absl::Status> WriteWhole(Exchange& exchange, const ChatReply& reply) {
  const StreamWishes wishes{.usage = exchange.chat.stream_usage};
  const auto writer = exchange.dialect->NewWriter(wishes, exchange.warnings);
  std::string frames;
  for (const ReplyEvent& event : EventsOf(reply)) frames += writer->Write(event);
  exchange.BeginOutput();
  co_return co_await exchange.sink->Write(std::move(frames));
}

}  // namespace llm_router
