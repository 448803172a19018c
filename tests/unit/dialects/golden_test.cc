#include "tests/unit/dialects/golden.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

using Json = nlohmann::json;

bool IsReply(const GoldenFile& file) { return file.name.find("/reply_") != file.name.npos; }

std::string Translated(const Dialect& from, const Dialect& to, bool reply, const std::string& body,
                       Warnings& warnings) {
  if (reply) {
    const auto parsed = from.ParseReply(body);
    INFO(MessageOf(parsed.status()));
    REQUIRE(parsed.ok());
    return to.RenderReply(*parsed, warnings);
  }
  const auto parsed = from.ParseRequest(body);
  INFO(MessageOf(parsed.status()));
  REQUIRE(parsed.ok());
  const auto rendered = to.RenderRequest(*parsed, warnings);
  INFO(MessageOf(rendered.status()));
  REQUIRE(rendered.ok());
  return *rendered;
}

TEST_CASE("a body parsed and rendered in its own dialect says the same, without a warning") {
  for (const auto& [folder, name] :
       {std::pair("openai_chat", "openai.chat"), std::pair("anthropic_messages", "anthropic.messages"),
        std::pair("openai_completions", "openai.completions"),
        std::pair("anthropic_count_tokens", "anthropic.count_tokens")}) {
    const Dialect& dialect = *FindDialect(name);
    for (const GoldenFile& file : GoldenFiles(folder)) {
      INFO(file.name);
      Warnings warnings;
      CHECK(Json::parse(Translated(dialect, dialect, IsReply(file), file.text, warnings)) ==
            Json::parse(file.text));
      CHECK(warnings == Warnings{});
    }
  }
}

TEST_CASE("a body of one dialect becomes exactly this body of another, and what is lost is named") {
  for (const GoldenFile& file : GoldenFiles("cross")) {
    INFO(file.name);
    const Json golden = Json::parse(file.text);
    const std::string input = nlohmann::ordered_json::parse(file.text)["input"].dump();
    const Dialect& from = *FindDialect(golden["from"].get<std::string>());
    const Dialect& to = *FindDialect(golden["to"].get<std::string>());
    Warnings warnings;
    Json output = Json::parse(Translated(from, to, golden["kind"] == "reply", input, warnings));
    if (output.contains("created") && !golden["output"].contains("created")) {
      CHECK(output["created"].get<int64_t>() > 1'700'000'000);
      output.erase("created");
    }
    CHECK(output == golden["output"]);
    CHECK(Json(warnings) == golden["warnings"]);
  }
}

TEST_CASE("the keys of a schema keep their order, in which a model writes its answer") {
  for (const GoldenFile& file : GoldenFiles("openai_chat")) {
    if (file.name != "openai_chat/request_schema.json") continue;
    for (const char* name : {"openai.chat", "anthropic.messages"}) {
      Warnings warnings;
      const std::string body =
          Translated(*FindDialect("openai.chat"), *FindDialect(name), false, file.text, warnings);
      CHECK(body.find("\"reasoning\":{") < body.find("\"answer\":{"));
    }
  }
}

TEST_CASE("a prompt in plain text becomes a request of either dialect") {
  Chat chat = *FindDialect("text")->ParseRequest("Why?");
  chat.model = "m";
  chat.max_tokens = 9;
  Warnings warnings;
  CHECK(
      Json::parse(*FindDialect("openai.chat")->RenderRequest(chat, warnings)) ==
      Json::parse(
          R"({"model": "m", "max_completion_tokens": 9, "messages": [{"role": "user", "content": "Why?"}]})"));
  CHECK(Json::parse(*FindDialect("anthropic.messages")->RenderRequest(chat, warnings)) ==
        Json::parse(R"({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Why?"}]})"));
  CHECK(warnings.empty());
}

}  // namespace
}  // namespace llm_router
