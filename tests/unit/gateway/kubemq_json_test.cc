#include "router/gateway/kubemq_json.h"

#include <nlohmann/json.hpp>

#include "broker_adapters/base/status.h"
#include "kubemq.pb.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

kubemq::Request Read(std::string_view text) {
  kubemq::Request request;
  const absl::Status status = ReadKubemqJson(text, request);
  INFO(text << ": " << MessageOf(status));
  REQUIRE(status.ok());
  return request;
}

std::string Refusal(std::string_view text) {
  kubemq::Request request;
  const absl::Status status = ReadKubemqJson(text, request);
  CHECK_FALSE(status.ok());
  return std::string(MessageOf(status));
}

}  // namespace

TEST_CASE("keys are the wire's field names in any case; unknown ones and nulls are passed over") {
  const auto request = Read(R"({"requestid": "r", "REQUESTTYPEDATA": 2, "ClientId": "c", "Channel": "a.b",
                                "Timeout": 1000, "CacheTTL": -1, "Metadata": null, "Unknown": {"x": [1]},
                                "request_id": "no", "Tags": {"b": "2", "a": "1"}})");
  CHECK(request.requestid() == "r");
  CHECK(request.requesttypedata() == kubemq::Request::Query);
  CHECK(request.clientid() == "c");
  CHECK(request.channel() == "a.b");
  CHECK(request.timeout() == 1000);
  CHECK(request.cachettl() == -1);
  CHECK(request.metadata().empty());
  CHECK(request.tags().at("a") == "1");
  CHECK(request.tags_size() == 2);
}

TEST_CASE("a body is base64, an array of numbers, or plain text in BodyString") {
  CHECK(Read(R"({"Body": "aGVsbG8="})").body() == "hello");
  CHECK(Read(R"({"body": [104, 105, 0, 255]})").body() == std::string("hi\0\xFF", 4));
  CHECK(Read(R"({"bodyString": "gr\u00fc\u00df"})").body() == "gr\xC3\xBC\xC3\x9F");
  CHECK(Read(R"({"Body": ""})").body().empty());
}

TEST_CASE("what is wrong is refused with a sentence that names it") {
  CHECK_THAT(Refusal("nonsense"), Catch::Contains("JSON"));
  CHECK_THAT(Refusal("[]"), Catch::Contains("JSON object"));
  CHECK_THAT(Refusal(R"({"Channel": "a", "Channel": "b"})"), Catch::Contains("duplicate key \"Channel\""));
  CHECK_THAT(Refusal(R"({"Channel": "a", "channel": "b"})"), Catch::Contains("Channel is given twice"));
  CHECK_THAT(Refusal(R"({"Body": "aGk=", "BodyString": "hello"})"),
             Catch::Contains("Body and BodyString differ"));
  CHECK_THAT(Refusal(R"({"Channel": 1})"), Catch::Contains("Channel takes text"));
  CHECK_THAT(Refusal(R"({"Timeout": "1"})"), Catch::Contains("Timeout takes a whole number"));
  CHECK_THAT(Refusal(R"({"Timeout": 1.5})"), Catch::Contains("Timeout"));
  CHECK_THAT(Refusal(R"({"Timeout": 2147483648})"), Catch::Contains("range"));
  CHECK_THAT(Refusal(R"({"Timeout": -2147483649})"), Catch::Contains("range"));
  CHECK_THAT(Refusal(R"({"RequestTypeData": "Query"})"), Catch::Contains("RequestTypeData"));
  CHECK_THAT(Refusal(R"({"Body": "not base64!"})"), Catch::Contains("BodyString"));
  CHECK_THAT(Refusal(R"({"Body": [256]})"), Catch::Contains("255"));
  CHECK_THAT(Refusal(R"({"Body": [-1]})"), Catch::Contains("255"));
  CHECK_THAT(Refusal(R"({"Tags": {"a": 1}})"), Catch::Contains("Tags"));
  CHECK_THAT(Refusal(R"({"Tags": {"a": "1", "a": "2"}})"), Catch::Contains("duplicate key \"a\""));
}

TEST_CASE("zero values are left out, enums are numbers, and a body that is UTF-8 is shown as text too") {
  CHECK(WriteKubemqJson(kubemq::Response()) == "{}");
  kubemq::Response response;
  response.set_requestid("r");
  response.set_body("hello");
  response.set_timestamp(1'700'000'000'000'000'000);
  response.set_executed(true);
  (*response.mutable_tags())["b"] = "2";
  (*response.mutable_tags())["a"] = "1";
  CHECK(WriteKubemqJson(response) ==
        R"({"RequestID":"r","Body":"aGVsbG8=","BodyString":"hello","Timestamp":1700000000000000000,)"
        R"("Executed":true,"Tags":{"a":"1","b":"2"}})");
  response.Clear();
  response.set_body("\xFF");
  CHECK(WriteKubemqJson(response) == R"({"Body":"/w=="})");
  kubemq::Request request;
  request.set_requesttypedata(kubemq::Request::Query);
  request.set_span("s");
  CHECK(WriteKubemqJson(request) == R"({"RequestTypeData":2,"Span":"cw=="})");
}

TEST_CASE("what is written is read again") {
  kubemq::Request request;
  request.set_requestid("r");
  request.set_requesttypedata(kubemq::Request::Command);
  request.set_metadata("m");
  request.set_body("hello");
  request.set_timeout(5);
  request.set_cachekey("k");
  (*request.mutable_tags())["x"] = "y";
  CHECK(Read(WriteKubemqJson(request)).SerializeAsString() == request.SerializeAsString());
}

}  // namespace llm_router
