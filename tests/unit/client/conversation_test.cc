#include "client/cli/conversation.h"

#include "tests/support/catch.h"

namespace llm_router::cli {
namespace {

TEST_CASE("a conversation is sent whole, in order, after its system prompt") {
  Conversation conversation("Be brief", 1024);
  conversation.AddUser("Hi");
  conversation.AddAssistant("Hello");
  conversation.AddUser("Bye");
  CHECK(
      conversation.Body("m", 0.5, 10) ==
      R"({"model":"m","temperature":0.5,"max_tokens":10,"messages":[{"role":"system","content":"Be brief"},)"
      R"({"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Bye"}]})");
}

TEST_CASE("what was not set is not in the request") {
  Conversation conversation("", 1024);
  conversation.AddUser("Hi");
  CHECK(conversation.Body("", std::nullopt, std::nullopt) ==
        R"({"messages":[{"role":"user","content":"Hi"}]})");
}

TEST_CASE("over its bytes a conversation forgets whole turns, oldest first, and never the newest message") {
  Conversation conversation("", 10);
  conversation.AddUser("12345");
  conversation.AddAssistant("123");
  conversation.AddUser("abcde");
  CHECK(conversation.Body("", std::nullopt, std::nullopt) ==
        R"({"messages":[{"role":"user","content":"abcde"}]})");
  conversation.AddUser("much longer than it may be");
  CHECK(conversation.size() == 1);
}

TEST_CASE("a question that failed is taken back, and a reset begins anew") {
  Conversation conversation("", 1024);
  conversation.AddUser("one");
  conversation.AddAssistant("two");
  conversation.AddUser("three");
  conversation.DropLast();
  CHECK(conversation.size() == 2);
  conversation.Clear();
  conversation.DropLast();
  CHECK(conversation.size() == 0);
}

TEST_CASE("bytes that are no UTF-8 are sent as replacement characters") {
  Conversation conversation("", 1024);
  conversation.AddUser("a\xff");
  CHECK(conversation.Body("", std::nullopt, std::nullopt) ==
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\xef\xbf\xbd\"}]}");
}

}  // namespace
}  // namespace llm_router::cli
