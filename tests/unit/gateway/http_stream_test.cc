// Streams over HTTP: nothing is held back, and each way in which one can end.
#include <fmt/format.h>

#include <future>

#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_client.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

constexpr std::string_view kWantsStream = R"(,"stream":true)";

std::string Ask(std::string_view path = kChat, std::string_view headers = "") {
  return HttpRequestText("POST", path, headers, ChatBody("gpt", kWantsStream));
}

std::string Frame(int number) { return fmt::format("data: {{\"n\":{}}}\n\n", number); }

absl::Status Broken() { return MakeFault(Fault::kProviderUnreachable, "the provider broke off: try again"); }

}  // namespace

TEST_CASE("a stream's pieces arrive one by one, each before the next is made") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(""));
  rig.Serve("openai", worker.worker());
  TcpClient client(rig.port());
  REQUIRE(client.Send(Ask()));
  worker.Piece(Frame(0));
  const std::string head = client.ReadTo("\r\n\r\n");
  CHECK_THAT(head, Catch::StartsWith("HTTP/1.1 200"));
  CHECK_THAT(head, Catch::Contains("text/event-stream", Catch::CaseSensitive::No));
  CHECK_THAT(head, Catch::Contains("cache-control: no-cache", Catch::CaseSensitive::No));
  CHECK_THAT(head, Catch::Contains("x-accel-buffering: no", Catch::CaseSensitive::No));
  CHECK_THAT(client.ReadTo("\n\n"), Catch::Contains(Frame(0)));
  for (int number = 1; number < 5; ++number) {
    worker.Piece(Frame(number));
    CHECK_THAT(client.ReadTo("\n\n"), Catch::Contains(Frame(number)));
  }
  worker.End();
  CHECK_THAT(client.ReadAll(), Catch::Contains("\r\n0\r\n\r\n"));
  CHECK(rig.Stats().executed == 1);
}

TEST_CASE("a stream asks for no whole reply, and lingers for as long as its caller says") {
  HttpRig rig;
  std::promise<Tags> seen;
  rig.Answer("openai", [&](const Query& query) -> absl::StatusOr<Reply> {
    seen.set_value(query.message.tags);
    return Broken();
  });
  (void)rig.Post(kChat, ChatBody("gpt", kWantsStream), "x-llm-router-linger-ms: 2500\r\n");
  const Tags tags = seen.get_future().get();
  CHECK(TagOr(tags, "whole") == "no");
  CHECK(TagOr(tags, "linger") == "2500");
  CHECK_FALSE(TagOr(tags, "stream-to").empty());
  CHECK(rig.Post(kChat, ChatBody("gpt", kWantsStream), "x-llm-router-linger-ms: 60001\r\n").status == 400);
}

TEST_CASE("a stream that fails before its first piece is an ordinary error") {
  HttpRig rig;
  SteppedStream worker(rig, Broken());
  rig.Serve("openai", worker.worker());
  worker.End();
  const HttpAnswer answer = rig.Post(kChat, ChatBody("gpt", kWantsStream));
  CHECK(answer.status == 502);
  CHECK(answer.json()["error"]["code"] == "provider_unreachable");
}

TEST_CASE("a stream that fails later ends with one error frame of its API") {
  HttpRig rig;
  SteppedStream worker(rig, Broken());
  rig.Serve("openai", worker.worker());
  worker.Piece(Frame(0));
  worker.End();
  SECTION("OpenAI's") {
    const HttpAnswer answer = rig.Post(kChat, ChatBody("gpt", kWantsStream));
    CHECK(answer.status == 200);
    CHECK_THAT(answer.body, Catch::StartsWith(Frame(0) + "data: {\"error\""));
    CHECK_THAT(answer.body, Catch::Contains("broke off") && Catch::EndsWith("\n\n"));
  }
  SECTION("Anthropic's") {
    const HttpAnswer answer = rig.Post(kMessages, ChatBody("gpt", kWantsStream));
    CHECK_THAT(answer.body, Catch::StartsWith(Frame(0) + "event: error\ndata: "));
  }
}

TEST_CASE("an error frame that the worker wrote is not written again") {
  HttpRig rig;
  SteppedStream worker(rig, Broken());
  rig.Serve("openai", worker.worker());
  const std::string frame = "data: {\"error\":{\"message\":\"broke off\"}}\n\n";
  worker.Piece(Frame(0));
  worker.Piece(frame);
  worker.End();
  CHECK(rig.Post(kChat, ChatBody("gpt", kWantsStream)).body == Frame(0) + frame);
}

TEST_CASE("who waits long for the first piece gets a head and pings, and still an error frame") {
  HttpGatewayOptions options;
  options.ping_every = Milliseconds(20);
  HttpRig rig(options);
  SteppedStream worker(rig, Broken());
  rig.Serve("openai", worker.worker());
  SECTION("OpenAI's") {
    TcpClient client(rig.port());
    REQUIRE(client.Send(Ask()));
    CHECK_THAT(client.ReadTo(": ping\n\n"), Catch::Contains("200 OK"));
    CHECK_THAT(client.ReadTo(": ping\n\n"), Catch::Contains(": ping"));
    worker.End();
    CHECK_THAT(client.ReadAll(), Catch::Contains("data: {\"error\""));
  }
  SECTION("Anthropic's") {
    TcpClient client(rig.port());
    REQUIRE(client.Send(Ask(kMessages)));
    CHECK_THAT(client.ReadTo("\n\n"), Catch::Contains("event: ping\ndata: "));
    worker.End();
    CHECK_THAT(client.ReadAll(), Catch::Contains("event: error"));
  }
}

TEST_CASE("a client that leaves a stream has it aborted") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(""));
  rig.Serve("openai", worker.worker());
  {
    TcpClient client(rig.port());
    REQUIRE(client.Send(Ask()));
    worker.Piece(Frame(0));
    (void)client.ReadTo("\n\n");
  }
  worker.AwaitCancelled();
}

TEST_CASE("a stream that outlasts the door's grace ends with one error frame of its API") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(""));
  rig.Serve("openai", worker.worker());
  const std::string_view path = GENERATE(kChat, kMessages);
  TcpClient client(rig.port());
  REQUIRE(client.Send(Ask(path)));
  worker.Piece(Frame(0));
  CHECK_THAT(client.ReadTo("\n\n"), Catch::Contains(Frame(0)));
  rig.Stop(Milliseconds(0));
  const std::string rest = client.ReadAll();
  CHECK_THAT(rest, Catch::Contains(path == kChat ? "data: {\"error\"" : "event: error\ndata: "));
  CHECK_THAT(rest, Catch::Contains("shutting down") && Catch::EndsWith("\r\n0\r\n\r\n"));
  worker.AwaitCancelled();
}

TEST_CASE("a worker that knows no streams, or no APIs, is understood all the same") {
  HttpRig rig;
  rig.Answer("openai", [](const Query&) { return Executed("plain words"); });
  const HttpAnswer whole = rig.Post(kChat, ChatBody("gpt"));
  CHECK(whole.json()["choices"][0]["message"]["content"] == "plain words");
  const HttpAnswer stream = rig.Post(kChat, ChatBody("gpt", kWantsStream));
  CHECK(stream.header("content-type") == "text/event-stream");
  CHECK_THAT(stream.body, Catch::Contains("plain words") && Catch::EndsWith("data: [DONE]\n\n"));
  CHECK(rig.Post(kMessages, ChatBody("gpt")).json()["content"][0]["text"] == "plain words");
}

}  // namespace llm_router::test
