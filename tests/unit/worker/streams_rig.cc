#include "tests/unit/worker/streams_rig.h"

#include <sstream>

#include "broker_adapters/base/ids.h"
#include "proto/contract.h"
#include "proto/fault.h"
#include "tests/support/catch.h"

namespace llm_router {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // only a failing case waits it out

std::unique_ptr<Stage> Owned(std::unique_ptr<Pieces> pieces, Pieces*& kept) {
  kept = pieces.get();
  return pieces;
}

}  // namespace

std::string Pieces::Piece(int64_t number, size_t size) {
  std::string piece = std::to_string(number) + ";";
  if (piece.size() < size) piece.append(size - piece.size(), '.');
  return piece;
}

std::string Pieces::All(int64_t count, size_t size) {
  std::string all;
  for (int64_t i = 0; i < count; ++i) all += Piece(i, size);
  return all;
}

Awaitable<absl::StatusOr<Reply>> Pieces::Run(Exchange& exchange, Next) {
  std::istringstream words(exchange.query.message.body);
  int64_t count = 0;
  size_t size = 0;
  std::string last;
  words >> count >> size >> last;
  ++running;
  absl::Status failure;
  for (int64_t i = 0; i < count && failure.ok(); ++i) {
    const bool holds = last == "hold" && i == count / 2;
    if (holds && !co_await released_.Wait(TimePoint::max()))
      failure = MakeFault(Fault::kCancelled, "cancelled");
    if (failure.ok()) failure = co_await exchange.sink->Write(Piece(i, size));
    if (failure.ok()) ++written;
    if (failure.ok() && !co_await Sleep(Now())) failure = MakeFault(Fault::kCancelled, "cancelled");
  }
  --running;
  if (!failure.ok()) {
    ++cancelled;
    co_return failure;
  }
  Reply reply;
  reply.executed = true;
  reply.message.body = All(count, size);
  reply.message.tags[std::string(contract::tag::kChunks)] = std::to_string(exchange.sink->chunks());
  co_return reply;
}

StreamsRig::StreamsRig(Executor executor)
    : executor_(executor),
      broker_(std::make_unique<LossyBroker>(MakeEmbeddedBroker(executor, EmbeddedOptions()))) {
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(Owned(std::make_unique<Pieces>(executor), pieces_));
  pipeline_ = std::make_unique<Pipeline>(std::move(stages));
  WorkerOptions options;
  options.name = "w1";
  Route& route = options.routes.emplace_back();
  route.name = "chat";
  route.targets.emplace_back(nullptr, "model-a");
  worker_ = std::make_unique<Worker>(executor, *broker_, *pipeline_, std::move(options));
  for (int i = 0; i < 2; ++i) callers_.push_back(std::make_unique<ReplyStreams>(executor, *broker_));
}

Awaitable<void> StreamsRig::Open() {
  const absl::Status started = co_await worker_->Start();
  REQUIRE(started.ok());
}

Awaitable<void> StreamsRig::Close() {
  for (const auto& caller : callers_) co_await caller->Stop();
  co_await worker_->Drain();
  co_await broker_->Stop();
}

Awaitable<std::unique_ptr<ReplyStream>> StreamsRig::Ask(std::string body, Milliseconds linger, int caller,
                                                        std::string tenant) {
  Message message("chat_requests", std::move(body));
  message.tags["query"] = NewId();
  message.tags["tenant"] = std::move(tenant);
  auto stream = co_await callers_[static_cast<size_t>(caller)]->Ask(
      Query(Kind::kQuery, std::move(message), Now() + kPatience), linger);
  REQUIRE(stream.ok());
  co_return *std::move(stream);
}

Awaitable<std::unique_ptr<ReplyStream>> StreamsRig::Resume(StreamPosition position, int caller,
                                                           std::string tenant) {
  Tags tags;
  tags["tenant"] = std::move(tenant);
  auto stream = co_await callers_[static_cast<size_t>(caller)]->Resume(
      std::move(position), std::move(tags), Now() + kPatience, Milliseconds(1'000));
  REQUIRE(stream.ok());
  co_return *std::move(stream);
}

Awaitable<std::string> StreamsRig::ReadAll(ReplyStream& stream) {
  std::string all;
  while (auto piece = co_await stream.Next()) all += *piece;
  co_return all;
}

Awaitable<bool> StreamsRig::Until(std::function<bool()> done) {
  const TimePoint give_up = Now() + kPatience;
  while (!done() && Now() < give_up) (void)co_await Sleep(Now() + Milliseconds(1));
  co_return done();
}

}  // namespace llm_router
