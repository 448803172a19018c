// Jobs over HTTP, by a real jobs service.
#include <fmt/format.h>

#include <future>

#include "proto/contract.h"
#include "proto/journal.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_client.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kAsync = "Prefer: respond-async\r\n";

std::string JobPath(const std::string& id) { return fmt::format("/v1/jobs/{}", id); }

// Does the next job of the route as a worker does.
void RunNextJob(HttpRig& rig, const std::string& id, contract::Finish finish) {
  rig.loop().RunTask([&]() -> Awaitable<void> {
    JobsRig& jobs = rig.jobs();
    jobs.Beat("w");
    const auto taken = co_await jobs.Receive();
    REQUIRE(taken.size() == 1);
    const auto begun = co_await jobs.Begin(id, "run", "w");
    REQUIRE(begun.ok());
    REQUIRE((co_await jobs.Finish(std::move(finish))).ok());
    REQUIRE((co_await jobs.Settle(taken[0], Settlement::Verdict::kAck)).ok());
  });
}

}  // namespace

TEST_CASE("who prefers not to wait gets a job, and its result later") {
  HttpRig rig;
  const HttpAnswer made = rig.Post(kChat, ChatBody("gpt"), kAsync);
  CHECK(made.status == 202);
  const std::string id = made.json()["id"];
  CHECK(made.header("location") == JobPath(id));
  CHECK(made.header("preference-applied") == "respond-async");
  CHECK(made.json()["object"] == "job");
  CHECK(made.json()["state"] == "queued");
  CHECK(made.json()["position"].is_number());
  contract::Finish finish = ResultOf(id, "run");
  finish.reply.body = R"({"choices":[]})";
  RunNextJob(rig, id, std::move(finish));
  const Json job = rig.Get(JobPath(id)).json();
  CHECK(job["state"] == "completed");
  CHECK(job["result"] == Json::parse(R"({"choices":[]})"));
}

TEST_CASE("a job may be made by any endpoint, once for an idempotency key") {
  HttpRig rig;
  const std::string once = std::string(kAsync) + "Idempotency-Key: k\r\n";
  const HttpAnswer first = rig.Post(kMessages, ChatBody("gpt"), once);
  CHECK(first.status == 202);
  CHECK(rig.Post(kMessages, ChatBody("gpt"), once).json()["id"] == first.json()["id"]);
}

TEST_CASE("a job is cancelled by DELETE") {
  HttpRig rig;
  const std::string id = rig.Post(kChat, ChatBody("gpt"), kAsync).json()["id"];
  CHECK(rig.Send("DELETE", JobPath(id)).json()["state"] == "cancelled");
  CHECK(rig.Get(JobPath(id)).json()["state"] == "cancelled");
}

TEST_CASE("a job that nobody made is not found") {
  HttpRig rig;
  for (const char* path : {"/v1/jobs/none", "/v1/jobs/none/events"}) {
    const HttpAnswer answer = rig.Get(path);
    CHECK(answer.status == 404);
    CHECK(answer.json()["error"]["message"].is_string());
  }
  CHECK(rig.Send("DELETE", "/v1/jobs/none").status == 404);
}

TEST_CASE("a job's states are followed as events until it is over") {
  HttpRig rig;
  const std::string id = rig.Post(kChat, ChatBody("gpt"), kAsync).json()["id"];
  TcpClient client(rig.port());
  REQUIRE(client.Send(HttpRequestText("GET", JobPath(id) + "/events", "", "")));
  CHECK_THAT(client.ReadTo("\n\n"), Catch::Contains("event: queued\ndata: {"));
  CHECK(rig.Send("DELETE", JobPath(id)).status == 200);
  const std::string rest = client.ReadAll();
  CHECK_THAT(rest, Catch::Contains("event: cancelled\ndata: {") && Catch::Contains("\r\n0\r\n\r\n"));
}

TEST_CASE("who follows a job does not keep the door from stopping") {
  HttpRig rig;
  const std::string id = rig.Post(kChat, ChatBody("gpt"), kAsync).json()["id"];
  TcpClient client(rig.port());
  REQUIRE(client.Send(HttpRequestText("GET", JobPath(id) + "/events", "", "")));
  (void)client.ReadTo("\n\n");
  rig.Stop(std::chrono::hours(1));
  CHECK_THAT(client.ReadAll(), Catch::Contains("0\r\n\r\n"));
}

TEST_CASE("a job's reply is not streamed") {
  HttpRig rig;
  const HttpAnswer answer = rig.Post(kChat, ChatBody("gpt", R"(,"stream":true)"), kAsync);
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Catch::Contains("respond-async"));
}

}  // namespace llm_router::test
