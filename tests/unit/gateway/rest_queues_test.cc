// The queues of the REST door: its calls and its WebSocket.
#include <fmt/format.h>

#include <thread>

#include "tests/support/catch.h"
#include "tests/unit/gateway/rest_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

Json Posted(RestRig& rig, const std::string& path, const Json& body) {
  const HttpAnswer answer = rig.Post("/queue/" + path, body.dump());
  INFO(answer.body);
  CHECK(answer.status == 200);
  CHECK(answer.json()["is_error"] == false);
  return answer.json()["data"];
}

Json MessageTo(const std::string& queue, const std::string& body) {
  return {{"ClientID", "s"}, {"Channel", queue}, {"BodyString", body}};
}

Json ReceiveFrom(const std::string& queue, int max = 1) {
  return {{"ClientID", "r"}, {"Channel", queue}, {"MaxNumberOfMessages", max}};
}

TEST_CASE("a message posted to a queue is received from it, with its attributes and policy") {
  RestRig rig;
  Json message = MessageTo("orders", "hello");
  message["Tags"] = {{"k", "v"}};
  message["policy"] = {{"expirationseconds", 60}, {"MaxReceiveQueue", "dead"}};
  const Json sent = Posted(rig, "send", message);
  CHECK(sent["MessageID"].get<std::string>().size() == 22);
  CHECK(sent["ExpirationAt"].get<int64_t>() - sent["SentAt"].get<int64_t>() == 60'000'000'000);
  const Json received = Posted(rig, "receive", ReceiveFrom("orders"));
  CHECK(received["MessagesReceived"] == 1);
  const Json& got = received["Messages"][0];
  CHECK(got["MessageID"] == sent["MessageID"]);
  CHECK(got["Body"] == "aGVsbG8=");
  CHECK(got["BodyString"] == "hello");
  CHECK(got["Tags"] == Json({{"k", "v"}}));
  CHECK(got["Attributes"]["Sequence"] == 1);
  CHECK(got["Attributes"]["ReceiveCount"] == 1);
  CHECK(got["Policy"]["MaxReceiveQueue"] == "dead");
  CHECK(Posted(rig, "receive", ReceiveFrom("orders")) == Json::object());
}

TEST_CASE("a faulty queue call says so in its data") {
  RestRig rig;
  CHECK(Posted(rig, "send", Json::object())["Error"].get<std::string>().starts_with("Error 101"));
  CHECK(Posted(rig, "send", MessageTo("a.*", "x"))["IsError"] == true);
  CHECK(
      Posted(rig, "receive", ReceiveFrom("orders", 0))["Error"].get<std::string>().starts_with("Error 122"));
  CHECK(Posted(rig, "ack_all", {{"ClientID", "c"}})["Error"].get<std::string>().starts_with("Error 120"));
  CHECK(rig.Post("/queue/send", "no json").status == 400);
  CHECK(rig.Post("/queue/send", R"({"Policy": 1})").status == 400);
}

TEST_CASE("a batch is posted as one, and an empty one refused") {
  RestRig rig;
  Json batch = {{"BatchID", "b"}};
  batch["Messages"] = {MessageTo("orders", "1"), MessageTo("", "2"), MessageTo("orders", "3")};
  const Json response = Posted(rig, "send_batch", batch);
  CHECK(response["BatchID"] == "b");
  CHECK(response["HaveErrors"] == true);
  REQUIRE(response["Results"].size() == 3);
  CHECK(response["Results"][1]["IsError"] == true);
  CHECK(Posted(rig, "receive", ReceiveFrom("orders", 2))["Messages"].size() == 2);
  const HttpAnswer empty = rig.Post("/queue/send_batch", "{}");
  CHECK(empty.status == 400);
  CHECK(empty.json()["message"] == "no messages to send");
}

TEST_CASE("queues are peeked into, counted and emptied") {
  RestRig rig;
  for (const char* body : {"1", "2"}) (void)Posted(rig, "send", MessageTo("orders", body));
  (void)Posted(rig, "send", MessageTo("other", "x"));
  Json peek = ReceiveFrom("orders", 2);
  peek["IsPeak"] = true;
  CHECK(Posted(rig, "receive", peek)["Messages"].size() == 2);
  const Json all = rig.Get("/queue/info").json()["data"]["Info"];
  CHECK(all["TotalQueue"] == 2);
  CHECK(all["Waiting"] == 3);
  const Json one = rig.Get("/queue/info", "", R"({"QueueName": "orders"})").json()["data"]["Info"];
  CHECK(one["Queues"].size() == 1);
  CHECK(one["Queues"][0]["Waiting"] == 2);
  CHECK(Posted(rig, "ack_all", {{"ClientID", "c"}, {"Channel", "orders"}})["AffectedMessages"] == 2);
  CHECK(Posted(rig, "ack_all", {{"ClientID", "c"}, {"Channel", "orders"}}) == Json::object());
}

TEST_CASE("a client that leaves while it waits for messages takes none with it") {
  RestRig rig;
  (void)Posted(rig, "send", MessageTo("orders", "1"));
  Json request = ReceiveFrom("orders", 10);
  request["WaitTimeSeconds"] = 600;
  const std::string body = request.dump();
  {
    TcpClient gone(rig.port());
    REQUIRE(
        gone.Send(fmt::format("POST /queue/receive HTTP/1.1\r\nHost: x\r\nContent-Type: "
                              "application/json\r\nContent-Length: {}\r\n\r\n{}",
                              body.size(), body)));
    // It is in the books while it waits.
    const auto subscribers = [&] {
      const Json info = rig.Get("/queue/info").json()["data"]["Info"];
      return info["Queues"][0].value("Subscribers", 0);
    };
    while (subscribers() == 0) std::this_thread::yield();
  }
  request["WaitTimeSeconds"] = 60;
  request["MaxNumberOfMessages"] = 1;
  const Json received = Posted(rig, "receive", request);
  REQUIRE(received["Messages"].size() == 1);
  CHECK(received["Messages"][0]["Attributes"]["ReceiveCount"] == 1);
}

TEST_CASE("a WebSocket takes one message, acknowledges it, and is closed") {
  RestRig rig;
  (void)Posted(rig, "send", MessageTo("orders", "1"));
  WebSocketClient socket(rig.port(), "/queue/stream");
  const auto ask = [&](const Json& request) {
    socket.Send(Frame(kText, request.dump()));
    return Json::parse(socket.ReadText());
  };
  socket.Send(Frame(kText, "no json"));
  CHECK(Json::parse(socket.ReadText())["IsError"] == true);
  CHECK(ask({{"ClientID", "c"}, {"StreamRequestTypeData", 2}})["Error"].get<std::string>().starts_with(
      "Error 125"));
  const Json got = ask({{"ClientID", "c"}, {"Channel", "orders"}, {"StreamRequestTypeData", 1}});
  CHECK(got["Message"]["BodyString"] == "1");
  const Json done = ask({{"RequestID", "9"}, {"StreamRequestTypeData", 2}, {"RefSequence", 1}});
  CHECK(done == Json({{"RequestID", "9"}, {"StreamRequestTypeData", 2}}));
  CHECK(socket.Read().close_code() == 1000);
  CHECK(rig.Get("/queue/info").json()["data"]["Info"].value("Waiting", 0) == 0);
}

TEST_CASE("what a WebSocket has that goes away comes again") {
  RestRig rig;
  (void)Posted(rig, "send", MessageTo("orders", "1"));
  {
    WebSocketClient socket(rig.port(), "/queue/stream");
    socket.Send(Frame(kText, R"({"ClientID": "c", "Channel": "orders", "StreamRequestTypeData": 1})"));
    CHECK(Json::parse(socket.ReadText())["Message"]["BodyString"] == "1");
  }
  Json request = ReceiveFrom("orders");
  request["WaitTimeSeconds"] = 60;
  CHECK(Posted(rig, "receive", request)["Messages"][0]["Attributes"]["ReceiveCount"] == 2);
}

TEST_CASE("over a broker that keeps no queues REST says so") {
  RestRig rig({}, {}, DoorRig::Keeps::kNothing);
  CHECK(Posted(rig, "send", MessageTo("orders", "x"))["IsError"] == true);
  CHECK(rig.Get("/queue/info").status == 501);
}

}  // namespace
}  // namespace llm_router::test
