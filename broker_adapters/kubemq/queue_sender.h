// QueueSender: puts messages into queues over one QueuesUpstream stream, opened when there is something to
// send and anew after it broke. Any number of Sends are under way at once.
//
// Owned by RemoteQueues; loop thread only. What was under way when the stream broke fails with
// engine_unavailable: it may or may not be kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker_adapters/broker.h"
#include "broker_adapters/kubemq/pipelined_stream.h"

namespace llm_router {

class QueueSender {
 public:
  explicit QueueSender(Connection& connection) : connection_(connection) {}

  // One result a message, in order; fails as a whole when the server had nothing to say about any of them.
  // `pipelined`: the server keeps the order of requests on a stream, so all of them are sent at once.
  Awaitable<absl::StatusOr<std::vector<SendResult>>> Send(std::vector<kubemq::QueueMessage> messages,
                                                          bool pipelined);
  void Stop(absl::Status why);

 private:
  using Upstream = PipelinedStream<kubemq::QueuesUpstreamRequest, kubemq::QueuesUpstreamResponse>;
  class Room;

  std::shared_ptr<Upstream> Stream();
  static Awaitable<absl::Status> Await(std::shared_ptr<Upstream> stream, Upstream::Asked asked,
                                       SendResult* results, size_t count);

  Connection& connection_;
  std::shared_ptr<Upstream> stream_;  // shared with gRPC and with who waits for an answer on it
  size_t requests_ = 0;               // under way
  size_t bytes_ = 0;                  // of them
};

}  // namespace llm_router
