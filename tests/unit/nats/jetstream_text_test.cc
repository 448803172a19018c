#include "broker_adapters/nats/jetstream_text.h"

#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router::nats {
namespace {

TEST_CASE("a ticket is read in the form of old servers and of new ones") {
  for (const char* reply : {"$JS.ACK.s.work.3.17.21.1795901809368085079.2",
                            "$JS.ACK.hub.ACCOUNT.s.work.3.17.21.1795901809368085079.2.RANDOM"}) {
    const auto ticket = ParseTicket(reply);
    REQUIRE(ticket);
    CHECK(ticket->stream == "s");
    CHECK(ticket->deliveries == 3);
    CHECK(ticket->sequence == 17);
    CHECK(ticket->stored_at == 1'795'901'809'368'085'079);
  }
  for (const char* other : {"", "_INBOX.x.1", "$JS.ACK.s.work.3.17.21", "$JS.ACK.s.work.x.17.21.1.2"})
    CHECK_FALSE(ParseTicket(other));
}

TEST_CASE("an answer is an acknowledgement, or says what is wrong") {
  const auto sequence = SequenceIn(R"({"stream":"s", "seq":7})");
  REQUIRE(sequence.ok());
  CHECK(*sequence == 7);
  const char* const full =
      R"({"error":{"code":500,"err_code":10047,"description":"insufficient storage resources available"}})";
  CHECK(FaultOf(SequenceIn(full).status()) == Fault::kStorageFailed);
  CHECK(CodeIn(full) == 10'047);
  CHECK(FaultOf(ErrorIn(R"({"error":{"code":503,"err_code":10008,"description":"x"}})")) ==
        Fault::kEngineUnavailable);
  for (const char* nonsense : {"", "[]", "{", "null", R"({"seq":"1"})"})
    CHECK_FALSE(SequenceIn(nonsense).ok());
}

TEST_CASE("a stream's state is what its subjects hold") {
  const auto state = StateIn(
      R"({"state":{"messages":3,"first_ts":"2026-11-28T21:36:49.5Z","subjects":{"q.a":2,"later.a":1}}})");
  REQUIRE(state.ok());
  CHECK(state->messages.at("q.a") == 2);
  CHECK(state->messages.at("later.a") == 1);
  CHECK(state->first_at == 1'795'901'809'500'000'000);
  const auto empty = StateIn(R"({"state":{"messages":0,"first_ts":"0001-01-01T00:00:00Z"}})");
  REQUIRE(empty.ok());
  CHECK(empty->messages.empty());
  CHECK(empty->first_at == 0);
}

}  // namespace
}  // namespace llm_router::nats
