// Dialects that are no chats, and the completions of old.
#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "router/dialects/token_estimate.h"
#include "tests/support/catch.h"
#include "tests/unit/dialects/golden.h"

namespace llm_router {
namespace {

const Dialect& Embeddings() { return *FindDialect("openai.embeddings"); }

TEST_CASE("dialects are sorted by name, and only chats have streams") {
  std::string_view before;
  for (const Dialect* dialect : AllDialects()) {
    INFO(dialect->name());
    CHECK(before < dialect->name());
    before = dialect->name();
    Warnings warnings;
    const bool chat = dialect->kind() == DialectKind::kChat;
    CHECK((dialect->NewParser() != nullptr) == chat);
    CHECK((dialect->NewWriter({}, warnings) != nullptr) == chat);
    CHECK((dialect->NewRelay({}) != nullptr) == chat);
  }
  CHECK(Embeddings().kind() == DialectKind::kEmbeddings);
  CHECK(FindDialect("anthropic.count_tokens")->kind() == DialectKind::kTokenCount);
}

TEST_CASE("an embeddings request takes texts and tokens, one or a list, and nothing else") {
  for (const char* input : {R"("a")", R"(["a"])", R"(["a","b"])", "[1,2]", "[[1],[2,3]]"}) {
    INFO(input);
    const auto chat = Embeddings().ParseRequest(std::string(R"({"model":"m","input":)") + input + "}");
    REQUIRE(chat.ok());
    CHECK(chat->model == "m");
  }
  for (const char* input :
       {"null", R"("")", "[]", R"([""])", "1", "[1,\"a\"]", "[[]]", "[-1]", "[1.5]", "{}"}) {
    INFO(input);
    const auto chat = Embeddings().ParseRequest(std::string(R"({"input":)") + input + "}");
    CHECK(FaultOf(chat.status()) == Fault::kInvalidRequest);
    CHECK(MessageOf(chat.status()).starts_with("input: must be"));
  }
  CHECK_FALSE(Embeddings().ParseRequest(R"({"input":"a","encoding_format":"int8"})").ok());
}

TEST_CASE("embeddings pass through with the model put in, and their usage is read") {
  CHECK(Embeddings().WithModel(R"({"input":[1, 2],"model":"a"})", "b", false) ==
        R"({"input":[1, 2],"model":"b"})");
  for (const GoldenFile& file : GoldenFiles("openai_embeddings")) {
    INFO(file.name);
    if (file.name.find("request_") != file.name.npos) {
      CHECK(Embeddings().ParseRequest(file.text).ok());
      continue;
    }
    const auto reply = Embeddings().ParseReply(file.text);
    REQUIRE(reply.ok());
    CHECK(reply->usage->input_tokens == 8);
    CHECK(reply->usage->output_tokens == 0);
  }
}

TEST_CASE("a prompt that no chat can hold is refused with a sentence") {
  for (const char* prompt : {"null", R"("")", "[]", R"(["a","b"])", "[1,2]", "[[1]]", "{}"}) {
    INFO(prompt);
    const auto chat =
        FindDialect("openai.completions")->ParseRequest(std::string(R"({"prompt":)") + prompt + "}");
    CHECK(FaultOf(chat.status()) == Fault::kInvalidRequest);
    CHECK(MessageOf(chat.status()) == "prompt: must be a string that is not empty, or a list of one");
  }
}

TEST_CASE("each dialect's callers get errors in their provider's shape") {
  const absl::Status failure = MakeFault(Fault::kTooLarge, "shorten it");
  for (const Dialect* dialect : AllDialects()) {
    const std::string body = contract::ErrorBody(dialect->name(), failure);
    CHECK((body.find(R"("type":"error")") != body.npos) == dialect->name().starts_with("anthropic."));
  }
}

TEST_CASE("an estimate of tokens grows with texts, tools and images") {
  Chat chat;
  CHECK(EstimateTokens(chat) == 0);
  chat.messages.emplace_back(Role::kUser, std::vector<Part>{TextPart{"Why is the sky blue?"}});
  CHECK(EstimateTokens(chat) == 8);
  chat.messages[0].parts.emplace_back(TextPart{"\xE5\xA4\xA9\xE7\xA9\xBA"});  // two characters
  CHECK(EstimateTokens(chat) == 10);
  chat.messages[0].parts.emplace_back(ImagePart());
  CHECK(EstimateTokens(chat) == 1610);
  chat.tools.emplace_back().name = "weather";
  CHECK(EstimateTokens(chat) == 1620);
}

}  // namespace
}  // namespace llm_router
