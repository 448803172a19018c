// The REST door's calls: shapes, texts and status codes of KubeMQ's REST API, and POST /model.
#include <fmt/format.h>

#include <future>

#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/unit/gateway/rest_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuery =
    R"({"RequestTypeData": 2, "ClientID": "c", "Channel": "q", "BodyString": "hello", "Timeout": 30000})";

std::string With(std::string_view base, std::string_view key, const Json& value) {
  Json json = Json::parse(base);
  json[std::string(key)] = value;
  return json.dump();
}

// A worker whose heartbeat the server has heard.
void ServeRoute(RestRig& rig, const std::string& route,
                std::function<absl::StatusOr<Reply>(const Query&)> answer) {
  rig.doors().Serve(contract::RequestsChannel(route), std::move(answer));
  contract::Heartbeat beat;
  beat.worker = "w-" + route;
  beat.routes.emplace_back().route = route;
  rig.doors().Publish(std::string(contract::kHeartbeatChannel), contract::ToJson(beat));
}

Reply Bare(std::string text) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(text);
  return reply;
}

}  // namespace

TEST_CASE("the door says hi, and answers a ping with host, version and times") {
  RestRig rig;
  CHECK(rig.Get("/").body == "hi");
  const HttpAnswer ping = rig.Get("/ping");
  CHECK(ping.status == 200);
  CHECK_THAT(ping.head, Catch::Contains("application/json; charset=UTF-8"));
  const Json json = ping.json();
  CHECK(json["is_error"] == false);
  CHECK(json["message"] == "OK");
  CHECK(json["data"]["Version"] == "v2.4.0");
  CHECK_FALSE(json["data"]["Host"].get<std::string>().empty());
  CHECK(json["data"]["ServerStartTime"] > 0);
}

TEST_CASE("the envelope is indented by tabs and ends with a newline, as KubeMQ's") {
  RestRig rig;
  const HttpAnswer answer =
      rig.Post("/send/response", R"({"ClientID": "c", "RequestID": "r", "ReplyChannel": "_INBOX.a.b"})");
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\n\t\"is_error\": false,\n\t\"message\": \"OK\",\n\t\"data\": null\n}\n");
  CHECK(rig.Stats().stray_answers == 1);
}

TEST_CASE("a query is answered, its body as base64 and as text") {
  RestRig rig;
  rig.doors().Serve("q", Echo);
  const HttpAnswer answer = rig.Post("/send/request", With(kQuery, "RequestID", "r"));
  CHECK(answer.status == 200);
  const Json data = answer.json()["data"];
  CHECK(data["RequestID"] == "r");
  CHECK(data["Executed"] == true);
  CHECK(data["Body"] == "aGVsbG8=");
  CHECK(data["BodyString"] == "hello");
  CHECK(data["Metadata"] == "metadata");
  CHECK(data["Timestamp"] == 1'700'000'000'000'000'000);
  CHECK_FALSE(data.contains("ReplyChannel"));
  CHECK_FALSE(data.contains("Error"));
  const DoorStats stats = rig.Stats();
  CHECK(stats.requests == 1);
  CHECK(stats.executed == 1);
  CHECK(stats.in_flight == 0);
}

TEST_CASE("a failure is a reply like any other: its error is in the data") {
  RestRig rig;
  rig.doors().Serve("q", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderBusy, "the provider is busy: ask again");
  });
  const HttpAnswer answer = rig.Post("/send/request", kQuery);
  CHECK(answer.status == 200);
  CHECK(answer.json()["is_error"] == false);
  CHECK(answer.json()["data"]["Error"] == "the provider is busy: ask again");
  CHECK_FALSE(answer.json()["data"].contains("Executed"));
}

TEST_CASE("refusals have KubeMQ's text, in its order, as HTTP 400") {
  RestRig rig;
  struct Row {
    std::string path, body, text;
  };
  const std::string event = R"({"ClientID": "c", "Channel": "e", "BodyString": "x"})";
  const std::array rows = {
      Row{"/send/request", "{}", "Error 206: invalid request type"},
      Row{"/send/request", With(kQuery, "ClientID", ""),
          "Error 101: invalid clientID value, cannot be empty"},
      Row{"/send/request", With(kQuery, "Channel", "a b"),
          "Error 108: invalid channel value, no white spaces are allowed"},
      Row{"/send/request", With(kQuery, "Channel", "a\tb"),
          "Error 108: invalid channel value, no white spaces are allowed"},
      Row{"/send/request", With(kQuery, "Timeout", 0),
          "Error 109: invalid set timeout value, cannot be 0 or negative"},
      Row{"/send/request", With(kQuery, "BodyString", ""), "Error 115: invalid request, cannot be empty"},
      Row{"/send/request", With(kQuery, "Timeout", 20), "Error 301: timeout for request message"},
      Row{"/send/event", With(event, "Channel", ""), "Error 102: invalid channel value, cannot be empty"},
      Row{"/send/event", With(event, "BodyString", ""), "Error 110: invalid message, cannot be empty"},
      Row{"/send/response", R"({"ClientID": "c", "ReplyChannel": "x"})",
          "Error 117: invalid request id, cannot be empty"},
      Row{"/subscribe/events?client_id=c&channel=e&subscribe_type=queries", "",
          "Error 207: invalid subscribe type"},
      Row{"/subscribe/requests?client_id=c&subscribe_type=queries", "",
          "Error 102: invalid channel value, cannot be empty"},
  };
  for (const Row& row : rows) {
    INFO(row.path << " " << row.body);
    const HttpAnswer answer = row.body.empty() ? rig.Get(row.path) : rig.Post(row.path, row.body);
    CHECK(answer.status == 400);
    CHECK(answer.json()["is_error"] == true);
    CHECK(answer.json()["message"] == row.text);
    CHECK(answer.json()["data"].is_null());
  }
}

TEST_CASE("what is no JSON, or of another type, is refused as KubeMQ does") {
  RestRig rig;
  const HttpAnswer broken = rig.Post("/send/request", "{");
  CHECK(broken.status == 400);
  CHECK_THAT(broken.json()["message"].get<std::string>(), Catch::StartsWith("code=400, message="));
  const HttpAnswer twice = rig.Post("/send/request", R"({"Channel": "a", "Channel": "b"})");
  CHECK_THAT(twice.json()["message"].get<std::string>(), Catch::Contains("duplicate key"));
  const HttpAnswer form = rig.Post("/send/request", kQuery, "application/x-www-form-urlencoded");
  CHECK(form.status == 400);
  CHECK_THAT(form.json()["message"].get<std::string>(),
             Catch::StartsWith("code=415, message=Unsupported Media Type"));
  CHECK(rig.Post("/send/request", "{}", "application/json; charset=utf-8").json()["message"] ==
        "Error 206: invalid request type");
}

TEST_CASE("what is not there is 404, a method that does not fit 405, queues are 501") {
  RestRig rig;
  const HttpAnswer missing = rig.Get("/nothing");
  CHECK(missing.status == 404);
  CHECK(missing.json() == Json({{"error_code", 404}, {"message", "Not Found"}}));
  const HttpAnswer wrong = rig.Get("/send/request");
  CHECK(wrong.status == 405);
  CHECK_THAT(wrong.head, Catch::Contains("allow: POST"));
  for (const char* path : {"/queue/send", "/queue/send_batch", "/queue/receive", "/queue/ack_all"}) {
    const HttpAnswer queue = rig.Post(path, "{}");
    CHECK(queue.status == 501);
    CHECK_THAT(queue.json()["message"].get<std::string>(), Catch::Contains("queries or events"));
  }
  CHECK(rig.Get("/queue/info").status == 501);
  CHECK(rig.Post("/send/event", R"({"ClientID": "c", "Channel": "e", "BodyString": "x", "Store": true})")
            .status == 501);
  const std::string subscribe = "/subscribe/events?client_id=c&channel=e&subscribe_type=events_store";
  CHECK(rig.Get(subscribe).status == 400);
  CHECK(rig.Get(subscribe + "&events_store_type_data=1").status == 501);
}

TEST_CASE("an event posted by REST reaches a subscriber by gRPC") {
  RestRig rig;
  const auto events = SubscribeToEvents(rig.doors(), Subscribe(kubemq::Subscribe::Events, "e"));
  const HttpAnswer answer = rig.Post(
      "/send/event",
      R"({"EventID": "1", "ClientID": "c", "Channel": "e", "BodyString": "news", "Tags": {"k": "v"}})");
  CHECK(answer.json()["data"] == Json({{"EventID", "1"}, {"Sent", true}}));
  kubemq::EventReceive got;
  REQUIRE(events->reader->Read(&got));
  CHECK(got.body() == "news");
  CHECK(got.tags().at("k") == "v");
}

TEST_CASE("a query by gRPC may be answered by REST, once") {
  RestRig rig;
  const auto stream = SubscribeToRequests(rig.doors(), Subscribe(kubemq::Subscribe::Queries, "q"));
  auto asked = std::async(std::launch::async, [&] { return rig.Post("/send/request", kQuery); });
  kubemq::Request request;
  REQUIRE(stream->reader->Read(&request));
  Json response = {{"ClientID", "w"},
                   {"RequestID", request.requestid()},
                   {"ReplyChannel", request.replychannel()},
                   {"BodyString", "first"},
                   {"Executed", true}};
  CHECK(rig.Post("/send/response", response.dump()).status == 200);
  response["BodyString"] = "second";
  CHECK(rig.Post("/send/response", response.dump()).status == 200);
  CHECK(asked.get().json()["data"]["BodyString"] == "first");
  CHECK(rig.Stats().stray_answers == 1);
}

TEST_CASE("a client that goes away has its query cancelled") {
  RestRig rig;
  rig.doors().ServeHeld("q");
  {
    TcpClient client(rig.port());
    REQUIRE(
        client.Send(fmt::format("POST /send/request HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                "Content-Length: {}\r\n\r\n{}",
                                kQuery.size(), kQuery)));
    rig.doors().WaitUntilHeld();
    client.Reset();
  }
  while (rig.Stats().cancelled == 0) {
  }
  CHECK(rig.Stats().in_flight == 0);
}

TEST_CASE("what is in flight when the server stops is answered; what comes later is told 503") {
  RestRig rig;
  rig.doors().ServeHeld("q");
  auto asked = std::async(std::launch::async, [&] { return rig.Post("/send/request", kQuery); });
  rig.doors().WaitUntilHeld();
  auto stopped = std::async(std::launch::async, [&] {
    rig.doors().loop().RunTask(
        [&]() -> Awaitable<void> { co_await rig.doors().server()->Stop(std::chrono::seconds(60)); });
  });
  while (!rig.doors().server()->refusing()) {
  }
  const HttpAnswer late = rig.Post("/send/request", kQuery);
  CHECK(late.status == 503);
  CHECK(late.json()["message"] == "rest server is not ready to accept requests");
  rig.doors().Release();
  CHECK(asked.get().json()["data"]["BodyString"] == "hello");
  stopped.get();
}

TEST_CASE("a query that outlasts the grace is told that the server is shutting down") {
  RestRig rig;
  rig.doors().ServeHeld("q");
  auto asked = std::async(std::launch::async, [&] { return rig.Post("/send/request", kQuery); });
  rig.doors().WaitUntilHeld();
  rig.Stop(Milliseconds(10));
  CHECK_THAT(asked.get().json()["data"]["Error"].get<std::string>(), Catch::Contains("shutting down"));
}

TEST_CASE("a body above the limit is refused before it is read, with the setting's name") {
  KubemqServerOptions serving;
  serving.max_body = 1000;
  RestRig rig(serving);
  rig.doors().Serve("q", Echo);
  const HttpAnswer large = rig.Post("/send/request", With(kQuery, "BodyString", std::string(1001, 'x')));
  CHECK_THAT(large.json()["data"]["Error"].get<std::string>(), Catch::Contains("limits.body"));
  const HttpAnswer huge = rig.Post("/send/request", With(kQuery, "BodyString", std::string(2'000'000, 'x')));
  CHECK(huge.status == 413);
  CHECK_THAT(huge.body, Catch::Contains("limits.body"));
}

TEST_CASE("POST /model takes a prompt and gives bare text") {
  RestRig rig;
  Tags tags;
  ServeRoute(rig, "openai", [&tags](const Query& query) -> absl::StatusOr<Reply> {
    tags = query.message.tags;
    return Bare("answer to " + query.message.body);
  });
  const HttpAnswer answer = rig.Post("/model", R"({"model_type": "openai", "model_name": "gpt-4o-mini",
      "input_data": "why?", "max_tokens": 7, "temperature": 0.5})");
  CHECK(answer.status == 200);
  CHECK(answer.body == "answer to why?");
  CHECK_THAT(answer.head, Catch::Contains("text/plain"));
  CHECK(tags.at("model") == "gpt-4o-mini");
  CHECK(tags.at("max-tokens") == "7");
  CHECK(tags.at("temperature") == "0.5");
  CHECK(tags.at("accept") == "text/plain");
}

TEST_CASE("POST /model gives the text of a worker that answers in JSON all the same") {
  RestRig rig;
  ServeRoute(rig, "openai", [](const Query&) -> absl::StatusOr<Reply> {
    Reply reply = Bare(R"({"response": "just this", "model": "m", "provider": "p"})");
    reply.message.tags["content-type"] = "application/json";
    return reply;
  });
  CHECK(rig.Post("/model", R"({"model_type": "openai", "input_data": "x"})").body == "just this");
}

TEST_CASE("POST /model says what is wrong, as an error object with the fault's status") {
  RestRig rig;
  ServeRoute(rig, "busy", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderBusy, "busy: ask again", Milliseconds(1500));
  });
  struct Row {
    std::string body;
    int status;
    std::string says;
  };
  const std::array rows = {
      Row{"{", 400, "JSON"},
      Row{R"({"input_data": "x"})", 400, "model_type"},
      Row{R"({"model_type": "openai"})", 400, "input_data"},
      Row{R"({"model_type": "openai", "input_data": ""})", 400, "input_data"},
      Row{R"({"model_type": "a b", "input_data": "x"})", 400, "a b"},
      Row{R"({"model_type": "openai", "input_data": "x", "max_token": 1})", 400, "\"max_token\""},
      Row{R"({"model_type": "openai", "input_data": "x", "max_tokens": "1"})", 400, "max_tokens"},
      Row{R"({"model_type": "openai", "input_data": "x", "timeout": 0})", 400, "timeout"},
      Row{R"({"model_type": "nobody", "input_data": "x", "timeout": 20})", 404, "nobody"},
      Row{R"({"model_type": "busy", "input_data": "x"})", RowOf(Fault::kProviderBusy).http,
          "busy: ask again"},
  };
  for (const Row& row : rows) {
    INFO(row.body);
    const HttpAnswer answer = rig.Post("/model", row.body);
    CHECK(answer.status == row.status);
    CHECK_THAT(answer.json()["error"]["message"].get<std::string>(), Catch::Contains(row.says));
  }
  CHECK_THAT(rig.Post("/model", rows.back().body).head, Catch::Contains("retry-after: 2"));
}

}  // namespace llm_router::test
