// The REST door's WebSockets.
#include <fmt/format.h>

#include <future>

#include "tests/support/catch.h"
#include "tests/unit/gateway/rest_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuery =
    R"({"RequestTypeData": 2, "ClientID": "c", "Channel": "q", "BodyString": "hello", "Timeout": 30000})";
constexpr std::string_view kSubscribeQueries =
    "/subscribe/requests?client_id=w&channel=q&subscribe_type=queries";
constexpr std::string_view kSubscribeEvents = "/subscribe/events?client_id=s&channel=e&subscribe_type=events";

std::future<HttpAnswer> Ask(RestRig& rig) {
  return std::async(std::launch::async, [&rig] { return rig.Post("/send/request", kQuery); });
}

}  // namespace

TEST_CASE("events come as JSON text frames, in force once the upgrade is through") {
  RestRig rig;
  WebSocketClient socket(rig.port(), kSubscribeEvents);
  CHECK(rig.Stats().subscriptions == 1);
  rig.doors().Publish("e", "one");
  rig.doors().Publish("e", "two");
  const Json first = Json::parse(socket.ReadText());
  CHECK(first["Channel"] == "e");
  CHECK(first["BodyString"] == "one");
  CHECK(first["Timestamp"] > 0);
  CHECK(Json::parse(socket.ReadText())["BodyString"] == "two");
  CHECK(rig.Stats().events_delivered == 2);
}

TEST_CASE("a pattern's events come with their own channels, its escapes read") {
  RestRig rig;
  WebSocketClient socket(rig.port(), "/subscribe/events?client_id=s&channel=a.%3E&subscribe_type=events");
  rig.doors().Publish("a.b.c", "x");
  CHECK(Json::parse(socket.ReadText())["Channel"] == "a.b.c");
}

TEST_CASE("a query goes to a WebSocket subscriber and is answered by POST /send/response") {
  RestRig rig;
  WebSocketClient worker(rig.port(), kSubscribeQueries);
  auto asked = Ask(rig);
  const Json request = Json::parse(worker.ReadText());
  CHECK(request["Channel"] == "q");
  CHECK(request["BodyString"] == "hello");
  CHECK(request["RequestTypeData"] == 2);
  const Json response = {{"ClientID", "w"},
                         {"RequestID", request["RequestID"]},
                         {"ReplyChannel", request["ReplyChannel"]},
                         {"BodyString", "world"},
                         {"Executed", true}};
  CHECK(rig.Post("/send/response", response.dump()).status == 200);
  CHECK(asked.get().json()["data"]["BodyString"] == "world");
}

TEST_CASE("a WebSocket subscriber that goes away is worker_lost to who waits for it") {
  RestRig rig;
  const bool politely = GENERATE(true, false);
  WebSocketClient worker(rig.port(), kSubscribeQueries);
  auto asked = Ask(rig);
  worker.ReadText();
  if (politely) {
    worker.Send(Frame(kClose, "\x03\xE8"));
  } else {
    worker.tcp().Reset();
  }
  const Json data = asked.get().json()["data"];
  CHECK(data["Tags"]["fault"] == "worker_lost");
  while (rig.Stats().subscriptions != 0) {
  }
}

TEST_CASE("members of a group share the queries, whatever wire they are on") {
  RestRig rig;
  WebSocketClient worker(rig.port(), fmt::format("{}&group=g", kSubscribeQueries));
  const auto stream = SubscribeToRequests(rig.doors(), Subscribe(kubemq::Subscribe::Queries, "q", "g"));
  auto one = Ask(rig);
  auto two = Ask(rig);
  kubemq::Request by_grpc;
  REQUIRE(stream->reader->Read(&by_grpc));
  const Json by_socket = Json::parse(worker.ReadText());
  CHECK(by_socket["ReplyChannel"] != by_grpc.replychannel());
  for (const std::string& channel : {by_socket["ReplyChannel"].get<std::string>(), by_grpc.replychannel()}) {
    const Json response = {
        {"ClientID", "w"}, {"RequestID", "r"}, {"ReplyChannel", channel}, {"Executed", true}};
    CHECK(rig.Post("/send/response", response.dump()).status == 200);
  }
  CHECK(one.get().json()["data"]["Executed"] == true);
  CHECK(two.get().json()["data"]["Executed"] == true);
}

TEST_CASE("every event on /send/stream gets its result, good or bad; binary frames are passed over") {
  RestRig rig;
  WebSocketClient events(rig.port(), kSubscribeEvents);
  WebSocketClient sender(rig.port(), "/send/stream");
  sender.Send(Frame(kBinary, "\x01"));
  sender.Send(Frame(kText, R"({"EventID": "1", "ClientID": "c", "Channel": "e", "BodyString": "x"})"));
  CHECK(Json::parse(sender.ReadText()) == Json({{"EventID", "1"}, {"Sent", true}}));
  sender.Send(Frame(kText, R"({"EventID": "2", "ClientID": "c", "BodyString": "x"})"));
  CHECK(Json::parse(sender.ReadText()) ==
        Json({{"EventID", "2"}, {"Error", "Error 102: invalid channel value, cannot be empty"}}));
  sender.Send(Frame(kText, "no JSON"));
  CHECK_THAT(Json::parse(sender.ReadText())["Error"].get<std::string>(), Catch::Contains("JSON"));
  sender.Send(Frame(kText, R"({"EventID": "3", "ClientID": "c", "Channel": "e", "BodyString": "y"})"));
  CHECK(Json::parse(sender.ReadText())["Sent"] == true);
  CHECK(Json::parse(events.ReadText())["BodyString"] == "x");
  CHECK(Json::parse(events.ReadText())["BodyString"] == "y");
}

TEST_CASE("a subscriber too slow for its events loses some, counted; the others do not wait for it") {
  KubemqRestOptions options;
  options.queued_events = 4;
  RestRig rig({}, options);
  WebSocketClient slow(rig.port(), kSubscribeEvents, "", 4096);
  WebSocketClient quick(rig.port(), kSubscribeEvents);
  const std::string large(200'000, 'x');
  int sent = 0;
  for (; rig.Stats().events_dropped == 0 && sent < 1000; ++sent) {
    rig.doors().Publish("e", large);
    CHECK(Json::parse(quick.ReadText())["BodyString"].get<std::string>().size() == large.size());
  }
  CHECK(sent < 1000);
}

TEST_CASE("a page of another origin is refused, one of the same is not") {
  RestRig rig;
  TcpClient foreign(rig.port());
  REQUIRE(foreign.Send(Handshake(kSubscribeEvents, "Origin: https://evil.example\r\n")));
  CHECK(foreign.ReadTo("\r\n").starts_with("HTTP/1.1 400 "));
  WebSocketClient same(rig.port(), kSubscribeEvents, "Origin: http://localhost\r\n");
  CHECK(rig.Stats().subscriptions == 1);
}

TEST_CASE("a WebSocket asked for without an upgrade is refused by HTTP 400 that says how") {
  RestRig rig;
  for (const std::string_view path :
       {kSubscribeEvents, kSubscribeQueries, std::string_view("/send/stream")}) {
    const HttpAnswer answer = rig.Get(path);
    CHECK(answer.status == 400);
    CHECK_THAT(answer.json()["message"].get<std::string>(), Catch::Contains("Upgrade: websocket"));
  }
  CHECK(rig.Stats().subscriptions == 0);
}

TEST_CASE("a server that stops closes its WebSockets with 1001") {
  RestRig rig;
  WebSocketClient events(rig.port(), kSubscribeEvents);
  WebSocketClient worker(rig.port(), kSubscribeQueries);
  WebSocketClient sender(rig.port(), "/send/stream");
  auto stopped = std::async(std::launch::async, [&] { rig.Stop(Milliseconds(0)); });
  for (WebSocketClient* socket : {&events, &worker, &sender}) {
    const Frame close = socket->Read();
    CHECK(close.close_code() == 1001);
    socket->Send(Frame(kClose, close.payload));
  }
  stopped.get();
}

}  // namespace llm_router::test
