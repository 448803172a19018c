// A worker whose pipeline writes as many pieces as a query's body says, on an embedded broker, and two
// callers of it, as two gateways would be.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker_adapters/embedded/embedded_broker.h"
#include "broker_adapters/reply_streams.h"
#include "router/worker/worker.h"
#include "tests/unit/worker/lossy_broker.h"

namespace llm_router {

// The body "COUNT SIZE" writes COUNT pieces of SIZE bytes; a third word "hold" waits for Release() after the
// first half. The reply's body is all of them.
class Pieces final : public Stage {
 public:
  explicit Pieces(Executor executor) : released_(executor) {}

  Awaitable<absl::StatusOr<Reply>> Run(Exchange& exchange, Next next) override;

  static std::string Piece(int64_t number, size_t size);
  static std::string All(int64_t count, size_t size);

  void Release() { released_.Wake(); }
  int64_t written = 0;
  int64_t running = 0;
  int64_t cancelled = 0;

 private:
  Waker released_;
};

class StreamsRig {
 public:
  explicit StreamsRig(Executor executor);

  Awaitable<void> Open();
  Awaitable<void> Close();

  // A stream of `body` for the first caller, or the second.
  Awaitable<std::unique_ptr<ReplyStream>> Ask(std::string body, Milliseconds linger, int caller = 0,
                                              std::string tenant = "acme");
  Awaitable<std::unique_ptr<ReplyStream>> Resume(StreamPosition position, int caller,
                                                 std::string tenant = "acme");
  // Everything that comes, to the end.
  static Awaitable<std::string> ReadAll(ReplyStream& stream);
  // Lets the loop go on until `done`; false when it never was.
  static Awaitable<bool> Until(std::function<bool()> done);

  LossyBroker& broker() { return *broker_; }
  Pieces& pieces() { return *pieces_; }

 private:
  const Executor executor_;
  std::unique_ptr<LossyBroker> broker_;
  Pieces* pieces_ = nullptr;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Worker> worker_;
  std::vector<std::unique_ptr<ReplyStreams>> callers_;
};

}  // namespace llm_router
