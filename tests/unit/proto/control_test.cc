#include "proto/control.h"

#include "broker_adapters/base/status.h"
#include "tests/support/catch.h"

namespace llm_router::contract {
namespace {

TEST_CASE("control messages are read as they were written") {
  Cancel gone("q1", 1234);
  gone.gone = true;
  const auto cancel = ParseControl(ToJson(gone));
  REQUIRE(cancel.ok());
  CHECK(std::get<Cancel>(*cancel).query == "q1");
  CHECK(std::get<Cancel>(*cancel).deadline_ms == 1234);
  CHECK(std::get<Cancel>(*cancel).gone);
  CHECK_FALSE(std::get<Cancel>(*ParseControl(ToJson(Cancel("q1", 1)))).gone);

  const auto credit = ParseControl(ToJson(Credit("q2", 255, "stream.acme.1")));
  REQUIRE(credit.ok());
  CHECK(std::get<Credit>(*credit).query == "q2");
  CHECK(std::get<Credit>(*credit).seq == 255);
  CHECK(std::get<Credit>(*credit).stream_to == "stream.acme.1");
}

TEST_CASE("a resume is read as it was written, and needs a query and a channel") {
  Resume asked;
  asked.query = "q1";
  asked.after = 7;
  asked.stream_to = "stream.acme.1";
  asked.stream_tag = "one";
  const auto resume = ParseResume(ToJson(asked));
  REQUIRE(resume.ok());
  CHECK(resume->query == "q1");
  CHECK(resume->after == 7);
  CHECK(resume->stream_to == "stream.acme.1");
  CHECK(resume->stream_tag == "one");
  CHECK_FALSE(ParseResume(R"({"op": "resume", "query": "q1"})").ok());
  CHECK_FALSE(ParseResume(R"({"op": "resume", "stream-to": "stream.acme.1"})").ok());
}

TEST_CASE("what is no control message says what one is") {
  for (const char* body :
       {"", "no json", "[]", "{}", R"({"op":"reboot","query":"q1"})", R"({"op":"cancel"})"}) {
    const auto control = ParseControl(body);
    REQUIRE_FALSE(control.ok());
    CHECK_FALSE(MessageOf(control.status()).empty());
  }
}

}  // namespace
}  // namespace llm_router::contract
