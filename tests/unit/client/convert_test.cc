#include "client/convert.h"

#include <limits>

#include "broker_adapters/base/status.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

using std::chrono::milliseconds;

Question Ask(std::string route, std::string text) {
  Question question;
  question.route = std::move(route);
  question.text = std::move(text);
  return question;
}

Reply Replied(std::string body, Tags tags) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(body);
  reply.message.tags = std::move(tags);
  return reply;
}

TEST_CASE("a question becomes a query on its route's channel, its options tags") {
  Question question = Ask("openai", "Hello");
  question.model = "gpt-4o-mini";
  question.system = "Be brief";
  question.temperature = 0.25;
  question.max_tokens = 64;
  question.request_id = "r-1";
  const auto query = ToQuery(question, Options());
  REQUIRE(query.ok());
  CHECK(query->kind == Kind::kQuery);
  CHECK(query->message.channel == "openai_requests");
  CHECK(query->message.body == "Hello");
  const Tags expected = {{"model", "gpt-4o-mini"}, {"system", "Be brief"}, {"temperature", "0.25"},
                         {"max-tokens", "64"},     {"request-id", "r-1"},  {"fail-fast", "true"}};
  CHECK(query->message.tags == expected);
  CHECK_FALSE(query->message.id.empty());
}

TEST_CASE("a question without a route is asked on the options' route") {
  Options options;
  options.route = "claude";
  const auto query = ToQuery(Ask("", "Hello"), options);
  REQUIRE(query.ok());
  CHECK(query->message.channel == "claude_requests");
}

TEST_CASE("a dialect's request is the body as it is") {
  Question question = Ask("openai", "");
  question.dialect = "openai.chat";
  question.body = R"({"messages":[]})";
  question.fail_fast = false;
  const auto query = ToQuery(question, Options());
  REQUIRE(query.ok());
  CHECK(query->message.body == R"({"messages":[]})");
  CHECK(query->message.tags == Tags{{"dialect", "openai.chat"}, {"content-type", "application/json"}});
}

struct BadQuestion {
  const char* what;
  void (*spoil)(Question&);
  Fault fault;
  const char* message;
};

TEST_CASE("a question that can't be asked is refused before it is sent") {
  const BadQuestion rows[] = {
      {"no text", [](Question& q) { q.text.clear(); }, Fault::kInvalidRequest, "empty prompt"},
      {"only blanks", [](Question& q) { q.text = " \n\t"; }, Fault::kInvalidRequest, "empty prompt"},
      {"no route", [](Question& q) { q.route.clear(); }, Fault::kInvalidRequest, "no route"},
      {"space", [](Question& q) { q.route = "open ai"; }, Fault::kInvalidRequest, "\"open ai\" is not valid"},
      {"wildcard", [](Question& q) { q.route = "open*"; }, Fault::kInvalidRequest, "is not valid"},
      {"trailing dot", [](Question& q) { q.route = "openai."; }, Fault::kInvalidRequest, "is not valid"},
      {"reserved", [](Question& q) { q.route = "llm_x"; }, Fault::kInvalidRequest, "is reserved"},
      {"zero timeout", [](Question& q) { q.timeout = milliseconds(0); }, Fault::kInvalidRequest,
       "timeout is 0 ms"},
      {"negative", [](Question& q) { q.timeout = milliseconds(-5); }, Fault::kInvalidRequest,
       "timeout is -5 ms"},
      {"huge", [](Question& q) { q.timeout = milliseconds::max(); }, Fault::kInvalidRequest,
       "at most 24 hours"},
      {"hot", [](Question& q) { q.temperature = 2.5; }, Fault::kInvalidRequest, "0 to 2"},
      {"not a number", [](Question& q) { q.temperature = std::numeric_limits<double>::quiet_NaN(); },
       Fault::kInvalidRequest, "0 to 2"},
      {"no tokens", [](Question& q) { q.max_tokens = 0; }, Fault::kInvalidRequest, "above 0"},
      {"body alone", [](Question& q) { q.body = "{}"; }, Fault::kInvalidRequest, "needs a dialect"},
      {"dialect and text", [](Question& q) { q.dialect = "openai.chat", q.body = "{}"; },
       Fault::kInvalidRequest, "put them into the body"},
      {"dialect alone", [](Question& q) { q.dialect = "openai.chat", q.text.clear(); },
       Fault::kInvalidRequest, "empty body"},
      {"too long", [](Question& q) { q.text.assign(1025, 'x'); }, Fault::kTooLarge,
       "1025 bytes, the limit is 1024"},
  };
  Options options;
  options.max_body = 1024;
  for (const BadQuestion& row : rows) {
    CAPTURE(row.what);
    Question question = Ask("openai", "Hello");
    row.spoil(question);
    const auto query = ToQuery(question, options);
    REQUIRE_FALSE(query.ok());
    CHECK(FaultOf(query.status()) == row.fault);
    CHECK_THAT(std::string(MessageOf(query.status())), Catch::Contains(row.message));
  }
}

TEST_CASE("an answer is read from the reply's object and its tags") {
  const auto answer = ToAnswer(
      "",
      Replied(
          R"({"response":"Hi","model":"m","provider":"openai","usage":{"input_tokens":3,"output_tokens":1}})",
          {{"content-type", "application/json; charset=utf-8"},
           {"attempts", "2"},
           {"warnings", "top_k dropped; n dropped"},
           {"request-id", "r-1"}}));
  REQUIRE(answer.ok());
  CHECK(answer->text == "Hi");
  CHECK(answer->model == "m");
  CHECK(answer->provider == "openai");
  CHECK(answer->input_tokens == 3);
  CHECK(answer->output_tokens == 1);
  CHECK(answer->attempts == 2);
  CHECK(answer->warnings == std::vector<std::string>{"top_k dropped", "n dropped"});
  CHECK(answer->tags.at("request-id") == "r-1");
}

TEST_CASE("a bare text of somebody else's worker is the answer") {
  const auto answer = ToAnswer("", Replied("just text", {}));
  REQUIRE(answer.ok());
  CHECK(answer->text == "just text");
  CHECK_FALSE(answer->input_tokens.has_value());
}

TEST_CASE("a dialect's reply keeps its body, and its text is picked out") {
  const std::string openai = R"({"choices":[{"message":{"role":"assistant","content":"Hi"}}]})";
  const auto chat = ToAnswer("openai.chat", Replied(openai, {{"model", "m"}, {"input-tokens", "3"}}));
  REQUIRE(chat.ok());
  CHECK(chat->body == openai);
  CHECK(chat->text == "Hi");
  CHECK(chat->model == "m");
  CHECK(chat->input_tokens == 3);

  const std::string anthropic = R"({"content":[{"type":"text","text":"Hi "},{"type":"text","text":"you"}]})";
  const auto messages = ToAnswer("anthropic.messages", Replied(anthropic, {}));
  REQUIRE(messages.ok());
  CHECK(messages->text == "Hi you");
}

TEST_CASE("a dialect's reply without text has none, whatever its shape") {
  for (const char* body : {"", "{", "[]", "{}", R"({"choices":[]})", R"({"choices":{"0":1}})",
                           R"({"choices":[7]})", R"({"choices":[{"message":{"content":null}}]})",
                           R"({"choices":[{"message":{"content":[{"type":"image"},{"text":5},3]}}]})"}) {
    CAPTURE(body);
    const auto answer = ToAnswer("openai.chat", Replied(body, {}));
    REQUIRE(answer.ok());
    CHECK(answer->text.empty());
    CHECK(answer->body == body);
  }
}

TEST_CASE("a failed reply is an error of the fault it names, with the wait it asks for") {
  for (const std::string_view dialect : {"text", "openai.chat", "anthropic.messages"}) {
    Reply reply;
    reply.error = "the provider is busy: try again in 2 s";
    reply.message.body =
        contract::ErrorBody(dialect, MakeFault(Fault::kProviderBusy, reply.error, milliseconds(2000)));
    const Error error = ToError(ToAnswer(dialect, reply).status());
    CHECK(error.code == ErrorCode::kProviderBusy);
    CHECK(error.message == "the provider is busy: try again in 2 s");
    CHECK(error.retry_after == milliseconds(2000));
  }
}

TEST_CASE("a failed reply without a body is still an error with its sentence") {
  Reply reply;
  reply.error = "boom";
  const Error error = ToError(ToAnswer("", reply).status());
  CHECK(error.code == ErrorCode::kInternal);
  CHECK(error.message == "boom");
  reply.error.clear();
  CHECK_FALSE(ToError(ToAnswer("", reply).status()).message.empty());
}

}  // namespace
}  // namespace llm_router::client
