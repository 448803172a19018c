#include <string>

#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

constexpr const char* kMend = " Check the provider's base_url and type, or try again.";

struct Row {
  const char* dialect;
  std::string body;
  std::string error;
};

TEST_CASE("what is no reply is a bad reply of the provider, told in a sentence") {
  for (const Row& row : std::vector<Row>{
           {"openai.chat", "", std::string("the provider's reply is empty.") + kMend},
           {"openai.chat", "<html>\n<title>502 Bad Gateway</title></html>",
            std::string("the provider answered with HTML (\"<html> <title>502 Bad Gateway</title></html>\") "
                        "instead of JSON.") +
                kMend},
           {"anthropic.messages", "upstream timed out",
            std::string("the provider's reply is not valid JSON: error at byte 1.") + kMend},
           {"openai.chat", R"({"choices": [{"mess)",
            std::string("the provider's reply is not valid JSON: it ends too early, after 19 bytes.") +
                kMend},
           {"anthropic.messages", "[]", std::string("the provider's reply is not a JSON object.") + kMend},
           {"openai.chat", R"({"error": {"message": "Out of order", "type": "server_error"}})",
            "the provider answered 200 with an error inside: Out of order"},
           {"anthropic.messages", R"({"type": "error", "error": {"type": "overloaded_error"}})",
            "the provider answered 200 with an error inside: overloaded_error"},
           {"openai.chat", R"({"error": "no such model"})",
            "the provider answered 200 with an error inside: no such model"},
           {"openai.chat", R"({"error": {}})",
            "the provider answered 200 with an error inside: it has no message"},
           {"openai.chat", "{}", "the provider's reply: choices: must be a list of at least one choice"},
           {"openai.chat", R"({"choices": []})",
            "the provider's reply: choices: must be a list of at least one choice"},
           {"openai.chat", R"({"choices": [{}]})",
            "the provider's reply: choices[0].message: must be an object"},
           {"openai.chat", R"({"choices": [{"message": {"content": 1}}]})",
            "the provider's reply: choices[0].message.content: must be a string"},
           {"openai.chat", R"({"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}})",
            "the provider's reply: usage.prompt_tokens: must not be negative"},
           {"anthropic.messages", "{}", "the provider's reply: content: must be a list of content blocks"},
           {"anthropic.messages", R"({"content": "x"})", "the provider's reply: content: must be a list"},
           {"anthropic.messages",
            R"({"content": [{"type": "tool_use", "id": "1", "name": "f", "input": 1}]})",
            "the provider's reply: content[0].input: must be an object"},
           {"anthropic.messages", R"({"content": [], "usage": []})",
            "the provider's reply: usage: must be an object"},
       }) {
    INFO(row.body);
    const auto reply = FindDialect(row.dialect)->ParseReply(row.body);
    CHECK(FaultOf(reply.status()) == Fault::kProviderBadReply);
    CHECK(MessageOf(reply.status()) == row.error);
  }
}

TEST_CASE("a complaint quotes little of what the provider wrote") {
  const std::string page = "<html>" + std::string(100'000, 'x');
  const std::string error = R"({"error": {"message": ")" + std::string(100'000, 'x') + "\"}}";
  for (const std::string& body : {page, error})
    CHECK(MessageOf(FindDialect("openai.chat")->ParseReply(body).status()).size() < 250);
  CHECK(FindDialect("openai.chat")->ParseError(error).message.size() < 600);
}

TEST_CASE("error bodies of both providers, and of servers that imitate them, are read in either dialect") {
  struct Case {
    const char* body;
    const char* type;
    const char* code;
    const char* message;
  };
  for (const char* name : {"openai.chat", "anthropic.messages"}) {
    for (const Case& error : {
             Case{R"({"error": {"message": "Bad key", "type": "invalid_request_error", "param": null,
                      "code": "invalid_api_key"}})",
                  "invalid_request_error", "invalid_api_key", "Bad key"},
             Case{R"({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"},
                      "request_id": "r"})",
                  "overloaded_error", "", "Overloaded"},
             Case{R"({"error": {"message": "Busy", "code": 429}})", "", "429", "Busy"},
             Case{R"({"error": "model not found"})", "", "", "model not found"},
             Case{R"({"detail": "Not Found"})", "", "", "Not Found"},
             Case{R"({"object": "error", "message": "too long", "type": "BadRequestError", "code": 400})",
                  "BadRequestError", "400", "too long"},
             Case{"<html>", "", "", ""},
             Case{"", "", "", ""},
             Case{R"({"error": [1]})", "", "", ""},
         }) {
      INFO(error.body);
      const ProviderError read = FindDialect(name)->ParseError(error.body);
      CHECK(read.type == error.type);
      CHECK(read.code == error.code);
      CHECK(read.message == error.message);
    }
  }
}

}  // namespace
}  // namespace llm_router
