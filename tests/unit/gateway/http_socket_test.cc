// The WebSocket of the HTTP gateway: streams, side by side, left and resumed.
#include <fmt/format.h>

#include <future>

#include "proto/contract.h"
#include "proto/control.h"
#include "proto/fault.h"
#include "tests/support/catch.h"
#include "tests/support/websocket_client.h"
#include "tests/unit/gateway/access_matrix.h"
#include "tests/unit/gateway/http_rig.h"

namespace llm_router::test {
namespace {

using Json = nlohmann::json;

Json Read(WebSocketClient& socket) { return Json::parse(socket.ReadText()); }

void Say(WebSocketClient& socket, const Json& message) { socket.Send(Frame(kText, message.dump())); }

void Ask(WebSocketClient& socket, std::string_view id) {
  Say(socket, {{"type", "request"}, {"id", id}, {"model", "openai"}, {"input", "hi"}});
}

}  // namespace

TEST_CASE("a question's pieces come one by one, then the whole") {
  HttpRig rig;
  SteppedStream worker(rig, Executed("one two", {{"content-type", "text/plain"}, {"model", "gpt"}}));
  rig.Serve("openai", worker.worker());
  WebSocketClient socket(rig.port(), "/v1/stream");
  Ask(socket, "q");
  worker.Piece("one ");
  const Json first = Read(socket);
  CHECK(first["type"] == "chunk");
  CHECK(first["id"] == "q");
  CHECK(first["content"] == "one ");
  CHECK(first["seq"] == 0);
  CHECK(first["resume_id"].is_string());
  worker.Piece("two");
  CHECK(Read(socket) == Json({{"type", "chunk"}, {"id", "q"}, {"content", "two"}, {"seq", 1}}));
  worker.End();
  const Json whole = Read(socket);
  CHECK(whole["type"] == "complete");
  CHECK(whole["full_response"] == "one two");
  CHECK(whole["model"] == "gpt");
}

TEST_CASE("a request of an API's own gives its frames, and its reply as JSON") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(R"({"choices":[]})", {{"content-type", "application/json"}}));
  rig.Serve("openai", worker.worker());
  WebSocketClient socket(rig.port(), "/v1/stream");
  Say(socket,
      {{"type", "request"}, {"id", "q"}, {"dialect", "openai.chat"}, {"body", Json::parse(ChatBody("gpt"))}});
  worker.Piece("data: {}\n\n");
  CHECK(Read(socket)["content"] == "data: {}\n\n");
  worker.End();
  CHECK(Read(socket)["full_response"] == Json({{"choices", Json::array()}}));
}

TEST_CASE("what fails is said with the id of the question") {
  HttpRig rig;
  rig.Answer("openai", [](const Query&) -> absl::StatusOr<Reply> {
    return MakeFault(Fault::kProviderBusy, "the provider is busy: ask again");
  });
  WebSocketClient socket(rig.port(), "/v1/stream");
  const auto code = [&](const Json& message) {
    Say(socket, message);
    const Json error = Read(socket);
    CHECK(error["type"] == "error");
    return error["error"]["code"].get<std::string>();
  };
  CHECK(code({{"type", "request"}, {"id", "q"}, {"model", "openai"}, {"input", "hi"}}) == "provider_busy");
  CHECK(code({{"type", "request"}, {"id", "q"}, {"model", "none"}, {"input", "hi"}}) == "unknown_model");
  CHECK(code({{"type", "request"}, {"id", "q"}, {"input", "hi"}}) == "invalid_request");
  CHECK(code({{"type", "request"}, {"id", "q"}, {"model", "openai"}}) == "invalid_request");
  CHECK(code({{"type", "request"}, {"model", "openai"}, {"dialect", "no"}, {"body", Json::object()}}) ==
        "invalid_request");
  CHECK(code({{"type", "resume"}, {"id", "no dot"}}) == "invalid_request");
  CHECK(code({{"type", "resume"}, {"id", "a.b.c"}}) == "invalid_request");
  CHECK(code({{"type", "sing"}}) == "invalid_request");
  CHECK(code(Json::array()) == "invalid_request");
}

TEST_CASE("one question does not wait for another") {
  HttpRig rig;
  rig.Beat("claude", {});
  SteppedStream slow(rig, Executed(""));
  rig.Serve("openai", slow.worker());
  rig.Answer("claude", [](const Query&) { return Executed("fast", {{"chunks", "0"}}); });
  WebSocketClient socket(rig.port(), "/v1/stream");
  Ask(socket, "slow");
  slow.Piece("one");
  CHECK(Read(socket)["content"] == "one");  // so the worker has it
  Say(socket, {{"type", "request"}, {"id", "fast"}, {"model", "claude"}, {"input", "hi"}});
  CHECK(Read(socket)["id"] == "fast");
  Ask(socket, "slow");  // it is there already
  CHECK(Read(socket)["error"]["code"] == "invalid_request");
  Say(socket, {{"type", "cancel"}, {"id", "slow"}});
  slow.AwaitCancelled();
}

TEST_CASE("a cancelled question is aborted, and says so") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(""));
  rig.Serve("openai", worker.worker());
  WebSocketClient socket(rig.port(), "/v1/stream");
  Ask(socket, "q");
  worker.Piece("one");
  CHECK(Read(socket)["content"] == "one");
  Say(socket, {{"type", "cancel"}, {"id", "q"}});
  CHECK(Read(socket)["error"]["code"] == "cancelled");
  worker.AwaitCancelled();
}

TEST_CASE("a stream is resumed on another connection by what its first chunk said") {
  HttpRig rig;
  SteppedStream worker(rig, Executed(""));
  rig.Serve("openai", worker.worker());
  std::string resume_id;
  {
    WebSocketClient socket(rig.port(), "/v1/stream");
    Ask(socket, "q");
    worker.Piece("one");
    resume_id = Read(socket)["resume_id"];
  }
  // The worker's side of it: worker_test.cc.
  std::promise<contract::Resume> asked;
  rig.AnswerOn(contract::WorkerControlChannel("w"), [&](const Query& query) -> absl::StatusOr<Reply> {
    const auto resume = contract::ParseResume(query.message.body);
    asked.set_value(*resume);
    Message chunk(resume->stream_to, "two");
    chunk.tags = {
        {"query", resume->query}, {"stream-tag", resume->stream_tag}, {"seq", "1"}, {"worker", "w"}};
    (void)rig.broker().Publish(std::move(chunk));
    return Executed("one two", {{"chunks", "2"}});
  });
  WebSocketClient socket(rig.port(), "/v1/stream");
  Say(socket, {{"type", "resume"}, {"id", resume_id}, {"after", 0}});
  CHECK(Read(socket) == Json({{"type", "chunk"}, {"id", resume_id}, {"content", "two"}, {"seq", 1}}));
  CHECK(Read(socket)["full_response"] == "one two");
  const contract::Resume resume = asked.get_future().get();
  CHECK(resume.after == 0);
  CHECK(resume_id.starts_with(resume.query));
}

TEST_CASE("the WebSocket asks for a key, and ends when it is taken away") {
  HttpGatewayOptions options;
  options.access = std::make_shared<Access>(MatrixKeys());
  HttpRig rig(options);
  CHECK(rig.Get("/v1/stream").status == 401);
  const std::string bearer = "Authorization: Bearer " + MatrixKey(AccessLevel::kCaller) + "\r\n";
  CHECK(rig.Get("/v1/stream", bearer).status == 400);  // no upgrade
  WebSocketClient socket(rig.port(), "/v1/stream", bearer);
  options.access->Replace({});
  rig.EndRevoked();
  CHECK(socket.Read().close_code() == 1008);
}

TEST_CASE("the door's stop ends WebSockets with going away") {
  HttpRig rig;
  WebSocketClient socket(rig.port(), "/v1/stream");
  auto stopped = std::async(std::launch::async, [&] { rig.Stop(std::chrono::hours(1)); });
  const Frame close = socket.Read();
  CHECK(close.close_code() == 1001);
  socket.Send(close);
  stopped.get();
}

}  // namespace llm_router::test
