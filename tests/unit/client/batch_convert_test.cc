#include "client/batch_convert.h"

#include "tests/support/catch.h"

namespace llm_router::client {
namespace {

Result<Answer> AnswerIn(const std::string& rest) {
  return ToResult(R"({"custom_id":"a",)" + rest + "}").answer;
}

TEST_CASE("a row's answer is read, whichever API it is of") {
  const auto text =
      AnswerIn(R"("response":{"status_code":200,"body":{"response":"T","model":"m","provider":"p",)"
               R"("usage":{"input_tokens":1,"output_tokens":2}}},"error":null)");
  REQUIRE(text.ok());
  CHECK(text->text == "T");
  CHECK(text->provider == "p");
  CHECK(text->output_tokens == 2);
  const auto chat = AnswerIn(R"("response":{"status_code":200,"body":{"model":"m","choices":[{"message":)"
                             R"({"content":"C"}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}})");
  REQUIRE(chat.ok());
  CHECK(chat->text == "C");
  CHECK(chat->model == "m");
  CHECK(chat->input_tokens == 3);
  CHECK(AnswerIn(R"("response":{"status_code":200,"body":"bare text"})")->text == "bare text");
  CHECK(ToResult(R"({"custom_id":"a","response":null})").custom_id == "a");
}

TEST_CASE("a row without an answer says why") {
  const auto code = [](const std::string& rest) { return AnswerIn(rest).error().code; };
  CHECK(code(R"("error":{"code":"batch_expired","message":"too late"})") == ErrorCode::kTimeout);
  CHECK(code(R"("error":{"code":"batch_cancelled","message":"stopped"})") == ErrorCode::kCancelled);
  CHECK(code(R"("error":{"code":"worker_lost","message":"gone"})") == ErrorCode::kWorkerLost);
  CHECK(code(R"("response":{"status_code":429,"body":{"error":{"message":"x","code":"rate_limit"}}})") ==
        ErrorCode::kProviderBusy);
  CHECK(code(R"("response":{"status_code":400,"body":{"error":{"message":"x"}}})") ==
        ErrorCode::kProviderRejected);
  CHECK(code(R"("response":{"status_code":502,"body":null})") == ErrorCode::kProviderFailed);
  CHECK(code(R"("response":null,"error":null)") == ErrorCode::kInternal);
  CHECK(ToResult("nonsense").answer.error().code == ErrorCode::kInternal);
  CHECK(AnswerIn(R"("error":{"code":"batch_expired","message":"too late"})").error().message == "too late");
}

}  // namespace
}  // namespace llm_router::client
