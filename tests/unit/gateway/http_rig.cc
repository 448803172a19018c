#include "tests/unit/gateway/http_rig.h"

#include <fmt/format.h>

#include <utility>

#include "proto/contract.h"
#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

namespace tag = contract::tag;

Awaitable<absl::StatusOr<Reply>> AtOnce(absl::StatusOr<Reply> reply) { co_return reply; }

}  // namespace

HttpRig::HttpRig(HttpGatewayOptions options) {
  options.port = 0;
  loop_.Start();
  loop_.RunTask([&]() -> Awaitable<void> {
    jobs_ = std::make_unique<JobsRig>(loop_);
    if (!co_await jobs_->Open()) FAIL("no jobs service");
    auto gateway = HttpGateway::Start(loop_.executor(), jobs_->broker(), options);
    if (!gateway.ok()) FAIL(gateway.status().ToString());
    gateway_ = *std::move(gateway);
    port_ = gateway_->port();
    tasks_.Spawn(KeepBeating());
  });
  Beat("openai", {"gpt"});
}

HttpRig::~HttpRig() {
  Stop(Milliseconds(0));
  loop_.RunTask([this]() -> Awaitable<void> {
    tasks_.Cancel();
    co_await tasks_.Join();
    subscriptions_.clear();
    co_await jobs_->Close();
    gateway_.reset();
    jobs_.reset();
  });
}

void HttpRig::Serve(const std::string& route, Worker worker) {
  ServeOn(contract::RequestsChannel(route), std::move(worker));
}

void HttpRig::ServeOn(const std::string& channel, Worker worker) {
  loop_.RunTask([&]() -> Awaitable<void> {
    auto served =
        co_await broker().Serve(ServeOptions(Kind::kQuery, channel, "workers", 256), std::move(worker));
    if (!served.ok()) FAIL(served.status().ToString());
    subscriptions_.push_back(*std::move(served));
  });
}

void HttpRig::Answer(const std::string& route, std::function<absl::StatusOr<Reply>(const Query&)> answer) {
  AnswerOn(contract::RequestsChannel(route), std::move(answer));
}

void HttpRig::AnswerOn(const std::string& channel,
                       std::function<absl::StatusOr<Reply>(const Query&)> answer) {
  ServeOn(channel, [answer = std::move(answer)](Query query) { return AtOnce(answer(query)); });
}

void HttpRig::Beat(const std::string& route, std::vector<std::string> models) {
  contract::Heartbeat beat;
  beat.worker = "w-" + route;
  beat.routes.emplace_back().route = route;
  beat.routes.back().models = std::move(models);
  loop_.RunTask([&]() -> Awaitable<void> {
    Publish(beats_.emplace_back(contract::ToJson(beat)));
    co_return;
  });
}

void HttpRig::Publish(const std::string& beat) {
  const absl::Status told = broker().Publish(Message(std::string(contract::kHeartbeatChannel), beat));
  if (!told.ok()) FAIL(told.ToString());
}

Awaitable<void> HttpRig::KeepBeating() {
  while (co_await Sleep(Now() + Milliseconds(500))) {
    for (const std::string& beat : beats_) Publish(beat);
  }
}

// Tests call it on threads of their own too, where Catch can't assert.
HttpAnswer HttpRig::Send(std::string_view method, std::string_view path, std::string_view headers,
                         std::string_view body) {
  return HttpExchange(port_, HttpRequestText(method, path, headers, body));
}

void HttpRig::EndRevoked() {
  loop_.RunTask([this]() -> Awaitable<void> {
    gateway_->EndRevoked();
    co_return;
  });
}

void HttpRig::Stop(Milliseconds grace) {
  loop_.RunTask([this, grace]() -> Awaitable<void> { co_await gateway_->Stop(grace); });
}

DoorStats HttpRig::Stats() {
  DoorStats stats;
  loop_.RunTask([&]() -> Awaitable<void> {
    stats = gateway_->stats();
    co_return;
  });
  return stats;
}

HttpRig::Worker SteppedStream::worker() {
  return [this](Query query) { return Run(std::move(query)); };
}

void SteppedStream::Piece(std::string frames) {
  rig_.loop().Post([this, frames = std::move(frames)]() mutable {
    pieces_.push_back(std::move(frames));
    step_.Wake();
  });
}

void SteppedStream::End() {
  rig_.loop().Post([this] {
    ends_ = true;
    step_.Wake();
  });
}

void SteppedStream::AwaitCancelled() {
  bool cancelled = false;
  for (const TimePoint until = Now() + std::chrono::seconds(10); !cancelled && Now() < until;) {
    rig_.loop().RunTask([&]() -> Awaitable<void> {
      (void)co_await Sleep(Now() + Milliseconds(5));
      cancelled = was_cancelled_;
    });
  }
  CHECK(cancelled);
}

Awaitable<absl::StatusOr<Reply>> SteppedStream::Run(Query query) {
  int64_t seq = 0;
  while (true) {
    for (std::string& piece : std::exchange(pieces_, {})) Publish(query, seq++, std::move(piece));
    if (ends_) break;
    if (co_await step_.Wait(TimePoint::max())) continue;
    was_cancelled_ = true;
    co_return MakeFault(Fault::kCancelled, "cancelled");
  }
  auto end = end_;
  if (end.ok()) end->message.tags[std::string(tag::kChunks)] = std::to_string(seq);
  co_return end;
}

void SteppedStream::Publish(const Query& query, int64_t seq, std::string frames) {
  const Tags& asked = query.message.tags;
  Message chunk(std::string(TagOr(asked, tag::kStreamTo)), std::move(frames));
  chunk.tags[std::string(tag::kQuery)] = TagOr(asked, tag::kQuery);
  chunk.tags[std::string(tag::kStreamTag)] = TagOr(asked, tag::kStreamTag);
  chunk.tags[std::string(tag::kSeq)] = std::to_string(seq);
  chunk.tags[std::string(tag::kWorker)] = "w";
  (void)rig_.broker().Publish(std::move(chunk));
}

std::string ChatBody(std::string_view model, std::string_view more) {
  return fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"hi"}}]{}}})", model, more);
}

Reply Executed(std::string body, Tags tags) {
  Reply reply;
  reply.executed = true;
  reply.message.body = std::move(body);
  reply.message.tags = std::move(tags);
  return reply;
}

}  // namespace llm_router::test
