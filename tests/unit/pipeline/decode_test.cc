#include "router/pipeline/decode.h"

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/run.h"

namespace llm_router {
namespace {

using test::Run;

// Innermost: the stages above have done their work, nothing is called.
class Accept final : public Stage {
 public:
  Awaitable<absl::StatusOr<Reply>> Run(Exchange&, Next) override { co_return Reply(); }
};

// What decoding made of a query, or why it would not.
absl::StatusOr<Chat> Decode(Message message, TimePoint deadline = Now() + std::chrono::hours(1)) {
  absl::StatusOr<Chat> chat = absl::UnknownError("did not run");
  Run([&](Loop&) -> Awaitable<void> {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(MakeDecodeStage());
    stages.push_back(std::make_unique<Accept>());
    const Pipeline pipeline(std::move(stages));
    const Route route;
    Exchange exchange(route, Query(Kind::kQuery, message, deadline));
    const auto reply = co_await pipeline.Run(exchange);
    chat = reply.ok() ? absl::StatusOr<Chat>(exchange.chat) : reply.status();
    if (reply.ok()) CHECK(exchange.deadline <= deadline);
  });
  return chat;
}

Message Text(std::string body, Tags tags = {}) {
  Message message("chat_requests", std::move(body));
  message.tags = std::move(tags);
  return message;
}

std::string Refusal(Message message) { return std::string(MessageOf(Decode(std::move(message)).status())); }

TEST_CASE("a text query takes its parameters from tags") {
  const auto chat = Decode(
      Text("Hi", {{"model", "m"}, {"temperature", "0.5"}, {"max-tokens", "9"}, {"system", "Be brief"}}));
  REQUIRE(chat.ok());
  CHECK(chat->model == "m");
  CHECK(chat->temperature == 0.5);
  CHECK(chat->max_tokens == 9);
  REQUIRE(chat->messages.size() == 2);
  CHECK(chat->messages[0].role == Role::kSystem);
  CHECK(std::get<TextPart>(chat->messages[1].parts.at(0)).text == "Hi");
}

TEST_CASE("what can't be decoded is refused with the remedy") {
  CHECK(Refusal(Text("")) == "empty prompt: put the question into the body");
  CHECK(Refusal(Text("Hi", {{"dialect", "latin"}})) ==
        "tag dialect is \"latin\": there are anthropic.count_tokens, anthropic.messages, openai.chat, "
        "openai.completions, openai.embeddings, text");
  CHECK(Refusal(Text(R"({"messages":[{"role":"user","content":"Hi"}],"stream":true})",
                     {{"content-type", "application/json"}})) ==
        "stream: true needs the tag stream-to, the channel for the chunks: add it, or leave stream out");
}

TEST_CASE("a query whose deadline has passed is not called for") {
  CHECK(FaultOf(Decode(Text("Hi"), Now() - Milliseconds(1)).status()) == Fault::kTimeout);
  CHECK(FaultOf(Decode(Text("Hi", {{"deadline", "1"}})).status()) == Fault::kTimeout);
}

}  // namespace
}  // namespace llm_router
