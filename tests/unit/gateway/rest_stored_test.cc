// Stored events by REST and WebSocket.
#include <fmt/format.h>

#include "tests/support/catch.h"
#include "tests/unit/gateway/rest_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

std::string Stored(const std::string& body) {
  return Json({{"EventID", "id-" + body},
               {"ClientID", "c"},
               {"Channel", "e"},
               {"BodyString", body},
               {"Store", true}})
      .dump();
}

std::string From(int type, int64_t value = 0, const std::string& client = "s") {
  return fmt::format(
      "/subscribe/events?client_id={}&channel=e&subscribe_type=events_store&events_store_type_data={}"
      "&events_store_type_value={}",
      client, type, value);
}

TEST_CASE("a stored event posted by REST is replayed over a WebSocket, with its number") {
  RestRig rig;
  for (const char* body : {"1", "2", "3"}) {
    const HttpAnswer answer = rig.Post("/send/event", Stored(body));
    CHECK(answer.status == 200);
    CHECK(answer.json()["data"]["EventID"] == "id-" + std::string(body));
    CHECK(answer.json()["data"]["Sent"] == true);
  }
  WebSocketClient socket(rig.port(), From(4, 2));
  for (int number : {2, 3}) {
    const Json event = Json::parse(socket.ReadText());
    CHECK(event["Sequence"] == number);
    CHECK(event["BodyString"] == std::to_string(number));
    CHECK(event["Timestamp"] > 1'700'000'000'000'000'000);
  }
  CHECK(rig.Get(From(1)).status == 400);  // no upgrade
  CHECK(rig.Get(From(4, 0)).status == 400);
  CHECK(rig.Get(From(0)).status == 400);
}

TEST_CASE("on the WebSocket of a sender every event, stored or not, has one result") {
  RestRig rig;
  WebSocketClient reader(rig.port(), From(2));
  WebSocketClient sender(rig.port(), "/send/stream");
  for (const char* body : {"1", "2"}) {
    sender.Send(Frame(1, Stored(body)));
    const Json result = Json::parse(sender.ReadText());
    CHECK(result["EventID"] == "id-" + std::string(body));
    CHECK(result["Sent"] == true);
    CHECK(Json::parse(reader.ReadText())["BodyString"] == body);
  }
}

}  // namespace
}  // namespace llm_router::test
